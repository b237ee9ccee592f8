// Package compliance says which rules give evidence for the controls of a
// framework, and what is on record of them: how many plans were judged, what
// was found, and what was accepted.
//
// It promises:
//   - A control that a rule names is listed with that rule, at the level that it
//     has; a rule that is off is listed as off, since it gives no evidence.
//   - Figures are counted from what the server recorded, never estimated. What
//     a report had no room to list is told, not left out.
//
// It does not say that a control is met: that is an auditor's to say.
package compliance
