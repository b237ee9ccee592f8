// Package costreport makes of the ledger's figures, and of what the clouds
// billed, the report that people read: what each client and project costs a
// month, how that moved, what is merged and open, how much of each budget is
// used, and where the month is heading.
//
// Promises:
//
//   - One Statement is what the terminal, CSV, JSON and HTML of the command
//     line and the web pages with their JSON are made of, so that none can
//     tell another story.
//   - What is not known is said to be not known, never shown as zero; where a
//     figure leaves something out it says "at least". Amounts of several
//     currencies are never added up here.
//   - Figures are exact decimals until they are written for people.
//   - The HTML file stands alone: no script, nothing from elsewhere, dark and
//     light, and it prints. What others wrote stays text in it. In CSV it
//     begins no formula.
//
// New is pure: it makes a Statement of what the ledger and the bills said, which
// a Source asks. It writes nothing anywhere.
package costreport
