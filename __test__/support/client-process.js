'use strict';

/** Runs the clients of `clients.js` in this process, for `ClientRunner`: a task comes in, its fault goes out. */

const { runTask } = require('./client-task');

process.on('message', async (task) => {
  process.send(await runTask(task));
});
