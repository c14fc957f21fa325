import { statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RuntimeFault } from './error.mjs';

const EXTENSIONS = ['', '.js', '.mjs', '.cjs'];

/**
 * The function that `name` names: a path, a dot, and what the module exports, which may lie deeper: `folder/file.a.b`.
 *
 * @param {string} root the folder of the function's code
 * @param {string} name the function's handler, as it is configured
 * @returns {Promise<Function>}
 */
export async function loadHandler(root, name) {
  if (name.includes('..')) {
    const hint = 'Use absolute paths when specifying root directories in handler names.';
    throw new RuntimeFault('MalformedHandlerName', `'${name}' is not a valid handler name. ${hint}`);
  }
  const file = basename(name);
  const [, module, path] = /^([^.]*)\.(.*)$/.exec(file) ?? [];
  if (!module || !path) throw new RuntimeFault('MalformedHandlerName', 'Bad handler');
  const exported = await load(resolve(root, name.slice(0, -file.length), module));
  const handler = lookUp(exported, path) ?? lookUp(exported.default, path);
  if (handler === undefined) {
    throw new RuntimeFault('HandlerNotFound', `${name} is undefined or not exported`);
  }
  if (typeof handler !== 'function') throw new RuntimeFault('HandlerNotFound', `${name} is not a function`);
  return handler;
}

async function load(path) {
  const file = EXTENSIONS.map((extension) => path + extension).find(isFile);
  if (file === undefined) {
    throw new RuntimeFault('ImportModuleError', `Error: Cannot find module '${basename(path)}'`);
  }
  try {
    return await import(pathToFileURL(file));
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeFault('UserCodeSyntaxError', `${error}`, error);
    if (['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(error?.code)) {
      throw new RuntimeFault('ImportModuleError', `${error}`, error);
    }
    throw error;
  }
}

function isFile(path) {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function lookUp(exported, path) {
  return path.split('.').reduce((value, key) => value?.[key], exported);
}
