/** Words that Ansible users type from habit and that are not there, with what is said instead. */
const habits: Readonly<Record<string, string>> = {
  any_errors_fatal: 'a failed host stops the rollout unless max_fail says otherwise',
  become: 'every task runs as root: take it away, and see "sudo" under ssh in the inventory',
  changed_when: 'a task finds out itself whether it changes anything',
  failed_when: 'a task finds out itself whether it failed',
  gather_facts: 'facts come with every look at a host: take it away',
  ignore_errors: 'put the task into a block with a rescue',
  include_tasks: 'write import_tasks',
  include_vars: 'write vars, or give the file with -e @FILE',
  loop_control: 'item and loop_index are the names in a loop; the name of the task may hold <%= item %>',
  post_tasks: 'write them at the end of tasks, or in a play of their own',
  max_fail_percentage: 'write max_fail: "30%"',
  meta: 'write "barrier: true" where handlers are to run and hosts to be looked at again',
  pre_tasks: 'write them at the beginning of tasks, or in a play of their own',
  remote_user: 'say "user" under ssh in the inventory',
  roles: 'write import_tasks, and keep what you reuse in files',
  vars_files: 'write vars, or give the file with -e @FILE',
  with_dict: 'write loop: "<%= Object.entries(…) %>"',
  with_items: 'write loop',
};

/** The first of `words` that is such a habit, and the hint for it. */
export function habitIn(words: readonly string[]): { readonly word: string; readonly hint: string } | undefined {
  const word = words.find((each) => Object.hasOwn(habits, each));
  return word === undefined ? undefined : { word, hint: habits[word] ?? '' };
}
