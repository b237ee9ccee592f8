// Package policies holds the bundled Rego packs as data: the rules that every
// plan is judged by unless the server turns them off, their settings, and
// their tests.
//
// One rule is one Rego package with one set named deny, and one file. The
// package's METADATA carries what people read: title, severity, why, how to
// mend, an example that is denied and one that is not. Package
// tidelock.security.aws.public_ingress is the rule security.aws.public_ingress;
// that name stands in reports, settings and history, so a package is never
// renamed. What a pack lets the server choose stands in its package
// tidelock.<pack>.settings, each with a default.
//
// The folders: lib has what rules share (package tidelock.plan reads a plan,
// tidelock.references tells which resource refers to which, tidelock.network
// knows addresses and ports); the others are one pack each.
// Tests stand beside the rules as _test.rego, and the Go test of this package
// runs them.
//
// The package judges nothing itself: internal/policy does.
package policies
