// Package policy judges a plan by rules written in Rego and gives a report:
// findings, each by a rule at an address, and a verdict.
//
// It promises:
//   - What could not be judged never passes. A rule that fails or does not end
//     in time, a plan that can't be read, a pack that does not compile: the
//     verdict is Error, which blocks like Fail, and the report says why.
//   - Rules read, and nothing else. Built-ins that reach the network, the
//     environment or chance are not in the language that the rules are
//     compiled for, so a rule that calls one does not compile.
//   - The same plan, facts and policies give the same report, byte for byte
//     (rules that ask for the time of day apart).
//   - What Terraform marks as sensitive is masked in messages, whoever wrote
//     the rule.
//
// The bundled packs (package policies) are always in an engine, and no other
// pack may write into their namespace, data.tidelock. Other packs follow
// conftest's ways: any package, sets named deny, violation or warn, strings or
// objects with a msg, exceptions; in the Rego of today or of before OPA 1.0;
// with data in JSON and YAML beside them. They find Terraform's plan JSON at
// the top of the input as well as under input.plan. Each pack is compiled by
// itself: it sees the bundled libraries, and no other pack.
//
// What rules ask of the input is held against its schema (InputSchema) when
// they are loaded, and what they ask of data must be given by someone: a
// misspelt name would be undefined, and a rule that reads it would never find
// anything.
//
// An engine compiles its packs once and is safe for concurrent use. The rules
// of a large plan are asked on several cores. Time and memory are bounded: a
// rule that takes too long, or makes the process grow by too much, is stopped,
// and what a single built-in may make is bounded. Memory is the process's, so
// that a rule may be stopped for what another part of the process took; packs
// come from the server or from a reviewed commit, never from the pull request
// that they judge, and that is for callers to keep.
//
// Beside judging, it runs the tests of packs (Test) and says which lines of
// their rules plans have reached (Engine.Cover). It knows no GitHub and no
// database.
package policy
