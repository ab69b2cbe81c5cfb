import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatError, LvsError } from '../../src/errors.ts';
import { loadTemplate, renderTemplate } from '../../src/templates/render.ts';

const text = (source: string) => ({ name: 'motd.ejs', text: source });

function complaint(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof LvsError) return formatError(error);
    throw error;
  }
  return 'nothing was thrown';
}

test('values come out as they are, never escaped for HTML', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (value) => renderTemplate(text('[<%= value %>]'), { value }) === `[${value}]`));
});

test('what a value holds is not a template', () => {
  expect(renderTemplate(text('<%= value %>\n'), { value: '<%= process.exit() %>' })).toBe('<%= process.exit() %>\n');
});

test('a name that is not there is a complaint with the line', () => {
  expect(complaint(() => renderTemplate(text('one\ntwo <%= three %>\n'), {}))).toMatch(/^motd\.ejs:2: three is not defined; /);
});

test('a field that is not there is a complaint too, not an empty word', () => {
  expect(complaint(() => renderTemplate(text('\n\n<%= host.rip %>\n'), { host: {} }))).toMatch(/^motd\.ejs:3: a value that is not there; /);
});

test('an object is no text', () => {
  expect(complaint(() => renderTemplate(text('<%= list %>'), { list: [1, 2] }))).toMatch(/^motd\.ejs:1: a value that is no text; /);
});

test('include is refused', () => {
  expect(complaint(() => renderTemplate(text(`<%- include('/etc/passwd') %>`), {}))).toMatch(
    /^motd\.ejs:1: include\(\) is not to be had here; /,
  );
});

test('broken template code is a complaint, not a crash', () => {
  expect(complaint(() => renderTemplate(text('<% if (x { %>'), { x: 1 }))).toMatch(/^motd\.ejs: .+/);
});

test('text is taken as it is; a name that leads nowhere is a complaint', () => {
  expect(loadTemplate('hello\n').text).toBe('hello\n');
  expect(loadTemplate('<%= x %>.ejs').text).toBe('<%= x %>.ejs');
  expect(complaint(() => loadTemplate('nowhere.ejs'))).toMatch(/^there is no template nowhere\.ejs; /);
});

test('a path is relative to the folder of the inventory', () => {
  const inventory = new URL('../golden/templates/inventory.yaml', import.meta.url).pathname;
  expect(renderTemplate(loadTemplate('./motd.ejs', inventory), { name: 'web1' })).toBe('This is web1.\n');
});
