/** Words that Ansible users type from habit and that are not there, with what is said instead. */
const habits: Readonly<Record<string, string>> = {
  any_errors_fatal: 'a failed host stops the rollout unless max_fail says otherwise',
  args: 'its parameters stand under the word itself',
  async: 'a command that takes long has a timeout',
  become: 'every task runs as root: take it away, and see "sudo" under ssh in the inventory',
  become_user: 'every task runs as root; a command for another user is run: "runuser -u NAME -- …"',
  changed_when: 'a task finds out itself whether it changes anything',
  check_mode: 'lvsctl plan changes nothing, and a task cannot be left out of it',
  environment: 'write the variables into the command: run: "NAME=value …"',
  failed_when: 'a task finds out itself whether it failed',
  gather_facts: 'facts come with every look at a host: take it away',
  ignore_errors: 'put the task into a block with a rescue',
  include_tasks: 'write import_tasks',
  include_vars: 'write vars, or give the file with -e @FILE',
  loop_control: 'item and loop_index are the names in a loop; the name of the task may hold <%= item %>',
  max_fail_percentage: 'write max_fail: "30%"',
  meta: 'write "barrier: true" where handlers are to run and hosts to be looked at again',
  no_log: 'write !secret NAME for the value: it is never shown',
  poll: 'a command that takes long has a timeout',
  post_tasks: 'write them at the end of tasks, or in a play of their own',
  pre_tasks: 'write them at the beginning of tasks, or in a play of their own',
  remote_user: 'say "user" under ssh in the inventory',
  roles: 'write import_tasks, and keep what you reuse in files',
  strategy: 'hosts go one after another, or as serial says',
  throttle: 'write serial in the play',
  vars_files: 'write vars, or give the file with -e @FILE',
  with_dict: 'write loop: "<%= Object.entries(…) %>"',
  with_fileglob: 'write loop with the names',
  with_items: 'write loop',
  with_sequence: 'write loop: "<%= Array.from({ length: 3 }, (_, n) => n + 1) %>"',
};

/** The first of `words` that is such a habit, and the hint for it. */
export function habitIn(words: readonly string[]): { readonly word: string; readonly hint: string } | undefined {
  const word = words.find((each) => Object.hasOwn(habits, each));
  return word === undefined ? undefined : { word, hint: habits[word] ?? '' };
}

/** Modules of Ansible that have another name here. */
const modules: Readonly<Record<string, string>> = {
  apt: 'package',
  authorized_key: 'line_in_file or copy',
  blockinfile: 'line_in_file with several lines, or template',
  debug: '-v, or query with register',
  dnf: 'package',
  get_url: 'download',
  import_role: 'import_tasks',
  include_role: 'import_tasks',
  lineinfile: 'line_in_file',
  modprobe: 'kernel_module',
  ping: '"lvsctl plan", which says of every host whether it answers',
  replace: 'line_in_file, or template',
  set_fact: 'vars, which may hold expressions',
  shell: 'command, or query to ask something',
  stat: 'query with register',
  systemd: 'service, and systemd_unit for the text of a unit',
  uri: 'http_check',
  yum: 'package',
};

/** What is written here for a module of Ansible, by its short or its full name. */
export function moduleHabit(name: string): string | undefined {
  const short = name.replace(/^ansible\.(builtin|posix|legacy)\./, '');
  return Object.hasOwn(modules, short) ? `write ${modules[short]}` : short === name ? undefined : `write ${short}`;
}
