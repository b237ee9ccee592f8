// Package gate decides whether a plan, an apply or a destroy may go ahead.
//
// Rules say what must be so, Facts what is known, and Evaluate compares the
// two: a pure function, the same verdicts for the same rules and facts. Each
// verdict says what is missing, who can mend that and how.
//
// It promises that a gate is never open by absence: a fact that was not read
// keeps its gate closed, and the verdict says so. That a repository can only
// tighten what the server asks for (Set.Tighten). And that an expression of
// the rules, written in CEL, ends soon, whatever it says: it can name known
// fields only, its cost is bounded, and one that fails closes its gate.
//
// It does not read anything. Whoever calls Evaluate fetches the facts that
// Rules.Needs names, vouches for them, and evaluates again under the lock:
// Record holds what the first evaluation was bound to. It imports no room of
// ours but errs, so that planner and bot can both stand on it. The CEL
// environment is built when the first expression needs it, since every runner
// process starts from the same binary.
package gate
