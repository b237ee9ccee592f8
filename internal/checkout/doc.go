// Package checkout turns commits into work trees, and lets them be read without
// one (TreeFS). It needs no git binary; where there is one, it indexes large
// packs, which is all that it is asked for.
//
// A Store keeps one bare mirror per repository, named by GitHub's immutable
// repository ID, in a cache folder. Whatever is asked for is answered from the
// mirror; only a commit that is not there yet causes a fetch, over git's smart
// HTTP. Callers that want commits of one repository at the same moment share
// one fetch.
//
// # Promises
//
//   - The token is asked for when it is needed, sent in a header to the origin
//     of the URL and to nobody else, and never written: no URL, command line,
//     configuration, error or log holds it.
//   - A work tree is what the commit says, checked against git's hashes, or an
//     error. It appears whole, by a rename, or not at all. Nothing in it leads
//     out of it: links that would are refused, as are names that a tree must
//     not have.
//   - The mirror is a cache. A process that is killed in mid-fetch leaves it
//     usable; one that is found damaged is discarded and fetched again.
//   - What is kept in memory, of folders and of what was worked out of files, is
//     named by the hash of its content, bounded, and answers for one repository.
//   - A Store is safe for concurrent use, and two processes may share a cache
//     folder.
//
// # What it does not do
//
// Git LFS objects are not fetched, nor are submodules where the Source has no
// Submodules; Notes names them, and planner says which code needs them. Nothing
// is ever pushed. Who may see a repository is not asked again when the mirror
// already has the commit: that is the caller's to know. Fetches are never
// shallow: the merge base decides which projects a pull request touches, and a
// history that is cut off gives a wrong one or none. The first fetch of a
// repository brings its history once; each later one brings what is new.
package checkout
