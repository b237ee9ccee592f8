// Package policyset decides what judges a project: which packs of rules, at
// which levels, with which settings, in which environment, and who may accept
// what they find.
//
// Three speak, the later only within what the earlier allow: the server's
// configuration, an admin repository where the server names one, and the
// project's own repository, by what stands at its base branch. A repository can
// only tighten: add packs, raise levels, and move settings in the direction
// that they themselves call tighter. What it asks for beyond that has no
// effect, and Judging.Notes says so.
//
// It promises:
//   - What should judge and can't be had never lets a plan pass: For returns an
//     error then, whose report is policy.Unjudged's.
//   - A source of rules that can't be reached for a while changes nothing: its
//     last good copy judges until it is too old. One whose signature or hash is
//     wrong never takes a good copy's place.
//   - The same configuration and the same content of sources give the same
//     Judging, and its Version tells two that differ apart.
//
// It knows no GitHub and no database.
package policyset
