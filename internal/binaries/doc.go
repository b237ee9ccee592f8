// Package binaries keeps the Terraforms and OpenTofus of a server side by
// side, and finds for each project the one that it asks for: the server's own
// where that will do, else the newest that is installed, else, where the server
// allows it, the newest release that will do, downloaded.
//
// It promises that
//   - what is downloaded was signed by those who make the tool: hc-install and
//     tofudl hold the archive against its checksum and the checksums against
//     the signature, with keys that are compiled in;
//   - a version is downloaded once for a machine, however many ask for it at
//     once, in this process or in others, and nobody ever sees part of one;
//   - a binary calls itself by the version that it is used for;
//   - a pre-release is taken only by who names it exactly.
//
// It runs no plan and reads no repository: what a project asks for is
// planner's to find out. It deletes nothing by itself; see Prune.
package binaries
