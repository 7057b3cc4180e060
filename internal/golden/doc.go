// Package golden compares what a test got with a file beside it, or rewrites the file:
//
//	go test ./graph -update
//
// Look at the difference in version control before committing a rewritten file.
package golden
