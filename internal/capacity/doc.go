// Package capacity decides how many runs a machine does at once, and which of
// those that wait is next.
//
// Each run says how much memory it needs, most of them as much as earlier runs
// of the same project took, and its weight: the share of the machine's cores
// that it is worth. Applies come before plans, whose cores they don't take.
// Runs of a kind go in the order in which they came, but a small one may pass
// a large one for which there is no room yet, a few times.
//
// Promises: those that run never need more together than there is, but for one
// that is larger than the machine, which runs alone; whoever waits is passed
// MaxPassed times at most, so that none waits for ever; where nothing runs,
// whoever comes first is let in.
//
// The deciding core, Admit, is pure. Gate has runs wait for it. It starts
// nothing, and knows of one machine only.
package capacity
