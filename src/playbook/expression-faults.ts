/** What is wrong with an expression, in words that help somebody who knows Ansible's conditions. */
import { Script } from 'node:vm';
import { EXIT, LvsError } from '../errors.ts';

/** The names that every expression sees. */
interface Names {
  readonly vars: Readonly<Record<string, unknown>>;
}

/** An error of the expression as one line with a hint; anything else that was thrown is passed on as it is. */
export function explainFault(error: unknown, expression: string, names: Names): unknown {
  if (error instanceof SyntaxError) return syntaxFault(expression) ?? error;
  const [, name = ''] = (error instanceof ReferenceError && /^(\S+) is not defined$/.exec(error.message)) || [];
  return name === '' ? error : fault(`${name} is not defined`, missingName(name, expression, names));
}

/** The same for a text with several `<%= … %>`: of the first that does not compile. */
export function textFault(error: unknown, text: string, names: Names): unknown {
  if (error instanceof Error && /matching close tag/.test(error.message)) return fault('"<%" is not closed', 'an expression ends with %>');
  if (!(error instanceof SyntaxError)) return explainFault(error, text, names);
  for (const [, expression = ''] of text.matchAll(/<%[=_-]?((?:(?!%>)[\s\S])*)%>/g)) {
    const found = syntaxFault(expression);
    if (found) return found;
  }
  return fault(error.message.replace(/ while compiling ejs[\s\S]*/, ''));
}

/** `{{ item }}`, and any other name that is there, is meant to be its value; other braces may be a program's own. */
export function rejectBraces(text: string, { vars, loop }: Names & { readonly loop?: unknown }): void {
  for (const [whole, name = ''] of text.matchAll(/\{\{-?\s*([A-Za-z_]\w*)[^}]*\}\}/g)) {
    const meant = name === 'item' && loop !== undefined ? 'item' : name in vars ? `vars.${name}` : undefined;
    if (meant !== undefined) throw fault(`${whole} is plain text here`, `a value is written <%= ${meant} %>`);
  }
}

export function textTruth(condition: string, value: string): LvsError {
  const right = `compare it, as in ${condition.trim()} === '${value}', or give true or false itself: in YAML, or -e '{"NAME": false}'`;
  return fault(`it is the text ${JSON.stringify(value)}, and any text counts as true`, right);
}

/** Undefined when it compiles. */
function syntaxFault(expression: string): LvsError | undefined {
  try {
    // In brackets, so that a parenthesis too many is found where it stands.
    new Script(`[${expression}\n]`, { filename: 'expression' });
    return undefined;
  } catch (error) {
    const { message, stack = '' } = error as Error;
    const [, line = '1', before = ''] = /^expression:(\d+)\n.*\n( *)\^/.exec(stack) ?? [];
    const lines = expression.split('\n');
    const text = lines[Number(line) - 1];
    if (text === undefined || expression.trim() === '') return fault('the expression ends too early', habit(expression));
    const read = text.slice(0, Math.max(0, before.length - (line === '1' ? 1 : 0))).trim();
    return fault(`${message}${read ? ` behind ${JSON.stringify(read)}` : ''}`, habit(expression));
  }
}

/** What Ansible's conditions and templates have and JavaScript has not; all of it that is there. */
function habit(expression: string): string | undefined {
  if (/\{\{|\{%/.test(expression)) return 'expressions are JavaScript: write them bare in "when", and as <%= … %> elsewhere';
  const defined = /\bis\s+(not\s+)?defined\b/g;
  const rest = expression.replace(defined, '');
  const found = [
    defined.test(expression) && `write "'NAME' in vars" for "vars.NAME is defined"`,
    /\b(and|or|not)\b/.test(rest) && 'expressions are JavaScript: write && for and, || for or, ! for not',
    /[^|]\|[^|]/.test(rest) && 'expressions are JavaScript: there are no filters, but its own methods, such as .length',
  ];
  return found.filter((hint) => hint !== false).join('; ') || undefined;
}

function missingName(name: string, expression: string, { vars }: Names): string {
  if (name in vars) return `write vars.${name}`;
  if (/^(True|False|None)$/.test(name)) return `write ${name === 'None' ? 'null' : name.toLowerCase()}`;
  return habit(expression) ?? 'the names are vars, host, fleet, facts, registered, quote and, in a loop, item and loop_index';
}

function fault(message: string, hint?: string): LvsError {
  return new LvsError(message, { code: 'playbook.expression', exitCode: EXIT.badInput, ...(hint !== undefined && { hint }) });
}
