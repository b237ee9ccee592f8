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
// objects with a msg; they find Terraform's plan JSON at the top of the input
// as well as under input.plan.
//
// An engine compiles its packs once and is safe for concurrent use. It does
// not bound the memory that one rule takes: packs come from the server or from
// a reviewed commit, never from the pull request that they judge, and that is
// for callers to keep. It knows no GitHub and no database.
package policy
