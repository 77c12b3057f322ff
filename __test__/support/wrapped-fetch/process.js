'use strict';

/** Runs cases in this process, for `TaskRunner`: a task comes in, its outcome goes out. */

const { runTask } = require('./task');

process.on('message', async (task) => {
  process.send(await runTask(task));
});
