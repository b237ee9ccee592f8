// Package cost turns a plan into an estimate: what its resources cost a month
// before and after, at list prices, from a catalogue that is part of the
// binary. It asks no network, no account and no database.
//
// # Promises
//
// What is not known is never shown as zero, and never priced with another
// region's figure. Every resource is either priced, free, paid by use, or not
// priced with the reason: no price in the catalogue, an input that is not
// known before the apply, a type that is not supported. Where only a part of a
// resource can be priced, the part counts, the resource counts as not priced,
// and the totals say "at least".
//
// Both sides of a change are priced by themselves, from the values before and
// the values after; nothing is derived from the kind of the change. Estimate's
// Delta is always After minus Before: a change of which only one side can be
// priced is left out of all three. What cannot be priced but is the same on
// both sides cancels.
//
// Amounts are exact decimals from the digits of the price list to the
// rounding of the shown text. A month has 730 hours.
//
// What a resource is used can be told in a file of Infracost's format
// (ReadUsage, Options.Usage). The lines that come from it are marked, and their
// sum stands apart from the baseline (Estimate.ByUse); without it, what is also
// paid by use is named and not priced. Lines of the file that nothing was
// priced by are reported, since a typing error must not look like a saving.
//
// What the plan does not know yet is looked up in the configuration: a
// constant, a variable, the known argument of another resource. The lines that
// rest on that say so.
//
// What is taken as given because neither plan nor configuration says it (the
// root volume of an unknown image, say) is the vendor's documented default and
// stands in the resource's Assumed. Spot and reserved capacity are shown at
// the on-demand price, as a ceiling that is labelled.
//
// Attributes that the plan marks as sensitive are used for pricing but never
// shown in a component's detail or a note. Names, details and notes hold text
// from the plan: whoever renders them must escape it.
//
// # What it does not do
//
// It knows nothing of taxes, free tiers of accounts, or credits, and of discounts
// and rates what Options tell it (and Google's sustained use, on request); it
// does not read the pull request, and it decides nothing: budgets and gates are
// somebody else's.
package cost
