// Package runner starts, watches, adopts and stops runner processes: one for
// each plan or apply, in which other people's code runs.
//
// A runner is the same binary, started as `tidelock runner --dir RUN` in a
// session of its own, so that it outlives the server. It gets what
// tfrun.Spec says and nothing else: no environment, no secret of the bot's;
// a client's credentials come through a pipe and never touch the disk. All it
// leaves stands in its run folder:
//
//	spec.json      what to do, and a nonce of the start
//	lock           held while the runner lives, and so proof that it does
//	journal.jsonl  what it began, its progress, its end
//	result.json    tfrun.Result, written whole before the end is journaled; an apply's as soon as that is over
//	log.txt        what Terraform said
//	stderr.txt     what the runner itself complained of
//	plan, plan.json, data/, home/
//	scans/         what hooks that are scanners wrote
//	home.terraform   what is started in place of Terraform: sets limits, and answers for its version
//	errored.tfstate  a state that Terraform could not write to its backend
//
// Promises: a run starts at most once, whoever asks and however often the
// server dies; before Terraform is started the journal says so on the disk,
// hence "prepared" proves that nothing was; when Wait says that a run was
// interrupted, no process of it is left; a disk that fills up in mid-apply
// spoils neither journal nor result nor that last state. A process is found by
// its lock, its session and the run's ID in its environment, never by a bare
// pid.
//
// Terraform, and all that it starts, is confined as Options.Sandbox says: to
// the files of its run, away from other processes, within limits. The runner
// process itself is not. The sandbox needs Landlock; Host tells what there is.
//
// It does not decide whether to run, and retries nothing. It needs Linux.
package runner
