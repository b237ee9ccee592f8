// Command bench measures Tidelock as its users run it: the built binary, a
// server process on a fresh data folder, a stand-in GitHub with real git, a
// real Terraform with the stand-in provider. `make bench` runs all of it,
// `make bench BENCH=plan` a part.
//
// # What it promises
//
//   - What is compared is measured in the same run, in turn: Tidelock's way from
//     the webhook to the final comment, and a bare git clone, terraform init,
//     plan and show of the same commit from the same servers. A ratio is that
//     of the two medians; other work on the machine strikes both alike.
//   - Every answer is looked at before its time counts: a plan that failed, or
//     that found other changes than are there, ends the bench.
//   - Each figure goes to bench.json as it becomes known, so that a bench that
//     was cut short leaves what it had.
//
// # What it does not do
//
// It judges nothing: a target that was missed is shown as missed and is no
// error, since a figure means little without the machine's load beside it.
package main
