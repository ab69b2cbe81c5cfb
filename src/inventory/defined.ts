/** The same object type with optional keys there or not there, but never undefined. */
type Defined<T> = { [Key in keyof T]: Exclude<T[Key], undefined> };

/** Leaves out the keys whose value is undefined. */
export function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Defined<T>;
}
