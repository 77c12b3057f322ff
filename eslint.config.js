'use strict';

const js = require('@eslint/js');
const globals = require('globals');

const rules = {
  'array-callback-return': 'error',
  'consistent-return': 'error',
  curly: ['error', 'multi-line'],
  'default-case-last': 'error',
  eqeqeq: 'error',
  'no-constructor-return': 'error',
  'no-else-return': 'error',
  'no-implicit-coercion': ['error', { allow: ['!!'] }],
  'no-lonely-if': 'error',
  'no-promise-executor-return': 'error',
  'no-return-assign': 'error',
  'no-self-compare': 'error',
  'no-sequences': 'error',
  // `never`: a function may be called what the module's own, declared below it, is called.
  'no-shadow': ['error', { hoist: 'never' }],
  'no-template-curly-in-string': 'error',
  'no-throw-literal': 'error',
  'no-undef-init': 'error',
  'no-unmodified-loop-condition': 'error',
  'no-unneeded-ternary': 'error',
  'no-unreachable-loop': 'error',
  'no-unused-expressions': 'error',
  'no-unused-vars': ['error', { args: 'after-used', caughtErrors: 'all' }],
  'no-use-before-define': ['error', { functions: false, classes: false, variables: false }],
  'no-useless-return': 'error',
  'no-var': 'error',
  'object-shorthand': 'error',
  'prefer-const': 'error',
  'prefer-promise-reject-errors': 'error',
  yoda: 'error',
};

module.exports = [
  { ignores: ['**/node_modules/', 'target/', 'native/', 'coverage/', 'benchmark/results/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.{js,cjs}'],
    languageOptions: { sourceType: 'commonjs', ecmaVersion: 2023, globals: globals.node },
    rules: { ...rules, strict: ['error', 'global'] },
  },
  {
    files: ['**/*.mjs'],
    languageOptions: { sourceType: 'module', ecmaVersion: 2023, globals: globals.nodeBuiltin },
    rules,
  },
  {
    files: ['__test__/**/*.{js,mjs}'],
    languageOptions: { globals: globals.jest },
  },
];
