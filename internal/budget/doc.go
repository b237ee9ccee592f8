// Package budget keeps the ledger of what changes do to the monthly bill, judges
// budgets by it, and says where a month is heading.
//
// # The ledger
//
// Each change has one row for each of its projects (Entry). It holds the
// estimate of the last plan, when the change was merged, and the amounts of the
// plan that was applied last. What a project costs by now is a second list
// (Point): the rate, an amount a month, and since when. A rate begins with what
// the first plan found there (Before), and every apply that ended well sets it
// to what its plan said (After). A destroy sets it to zero. An apply that failed
// or was broken off leaves the figure and marks it as not known: part of it may
// be done.
//
// All rows are written in the transaction of what they record. Each says what is
// so, not what happened: writing one twice, or a merge before its plan, ends in
// the same rows. Drift checks, plans of a merge queue's groups and state
// operations write nothing.
//
// # Units
//
// Every amount is an exact decimal of a currency. A Rate is what a whole month
// costs while it lasts. A Cost is what a calendar month has cost: the rates by
// the part of the month that each lasted. Months are UTC's. AtLeast means that
// resources without a price are left out, Known that no apply failed since.
// Amounts in several currencies are added up only by a dated rate; what has none
// is named in LeftOut and not counted.
//
// # What it does not do
//
// It reads no plan and no pull request, and knows nothing of what the cloud
// really billed.
package budget
