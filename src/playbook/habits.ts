/** Words that Ansible users type from habit and that are not there, with what is said instead. */
const habits: Readonly<Record<string, string>> = {
  always: 'a block has no always: whatever must be done in any case is a play of its own',
  become: 'every task runs as root: take it away, and see "sudo" under ssh in the inventory',
  changed_when: 'a task finds out itself whether it changes anything',
  failed_when: 'a task finds out itself whether it failed',
  gather_facts: 'facts come with every look at a host: take it away',
  ignore_errors: 'a task that may fail has a "when" that says where it need not be done',
  include_tasks: 'write import_tasks',
  include_vars: 'write vars, or give the file with -e @FILE',
  loop_control: 'item and loop_index are the names in a loop; the name of the task may hold <%= item %>',
  post_tasks: 'write them at the end of tasks, or in a play of their own',
  pre_tasks: 'write them at the beginning of tasks, or in a play of their own',
  register: 'what a task says cannot be used by a later one: hosts are asked once, before anything is changed',
  remote_user: 'say "user" under ssh in the inventory',
  rescue: 'a block has no rescue: a host whose task failed is left as it is',
  roles: 'write import_tasks, and keep what you reuse in files',
  until: 'tasks that start something wait for it themselves; what is to be true in the end is a check',
  vars_files: 'write vars, or give the file with -e @FILE',
  with_dict: 'write loop: "<%= Object.entries(…) %>"',
  with_items: 'write loop',
};

/** The first of `words` that is such a habit, and the hint for it. */
export function habitIn(words: readonly string[]): { readonly word: string; readonly hint: string } | undefined {
  const word = words.find((each) => Object.hasOwn(habits, each));
  return word === undefined ? undefined : { word, hint: habits[word] ?? '' };
}
