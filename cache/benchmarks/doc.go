// Package benchmarks measures package cache against other caches at the same
// work, in a module of its own so that who imports the cache does not pay for
// them. docs/benchmarks.md has the results.
package benchmarks
