'use strict';

/** Settings of the user that would send the calls elsewhere, trust others, or measure another addon or another Node. */
const FOREIGN_SETTINGS =
  /^(https?_proxy|all_proxy|no_proxy|node_use_env_proxy|ssl_cert_(file|dir)|node_options|node_debug|unreset_.*)$/i;

/** The environment of a process that is measured. */
const ownEnvironment = () =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !FOREIGN_SETTINGS.test(name)));

module.exports = { ownEnvironment };
