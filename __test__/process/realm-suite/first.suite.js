'use strict';

require('./shared')();
