package metrics

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Figure is one of the figures that Tidelock tells.
type Figure struct {
	Name   string
	Type   string // gauge | counter | histogram
	Help   string // a sentence or two
	Labels []string
	// Shared is set for what is read from the database: of several servers on it
	// each tells the same, so that they must not be added up.
	Shared bool

	buckets []float64 // of a histogram
	desc    *prometheus.Desc
}

// sharedHelp ends the help of a shared figure.
const sharedHelp = " Of the database: each server on it tells the same."

var figures []*Figure

// All returns all figures by name.
func All() []Figure {
	all := make([]Figure, len(figures))
	for i, f := range figures {
		all[i] = *f
	}
	slices.SortFunc(all, func(a, b Figure) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func add(f Figure) *Figure {
	if f.Shared {
		f.Help += sharedHelp
	}
	f.desc = prometheus.NewDesc(f.Name, f.Help, f.Labels, nil)
	figures = append(figures, &f)
	return &f
}

// state is what is read when somebody asks, of this server; shared the same of
// the database.
func state(name, help string, labels ...string) *Figure {
	return add(Figure{Name: name, Type: "gauge", Help: help, Labels: labels})
}

func shared(name, help string, labels ...string) *Figure {
	return add(Figure{Name: name, Type: "gauge", Help: help, Labels: labels, Shared: true})
}

// counter and histogram are what this server counts.
func counter(name, help string, labels ...string) *Figure {
	return add(Figure{Name: name, Type: "counter", Help: help, Labels: labels})
}

func histogram(buckets []float64, name, help string, labels ...string) *Figure {
	return add(Figure{Name: name, Type: "histogram", Help: help, Labels: labels, buckets: buckets})
}

// Where the lines between the buckets are, in seconds.
var (
	quick = []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30} // a database, a disk, a bucket
	asked = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}           // somebody waits for an answer
	call  = []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}                           // over the internet
	work  = []float64{0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 1800}                         // a job
	whole = []float64{1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400}           // Terraform
)

// What is read when somebody asks.
var (
	jobs      = shared("tidelock_jobs", "Jobs that are not done, by kind and state: waiting could start now, sleeping waits for a later time, retrying failed before, dead is set aside for a person.", "kind", "state")
	jobOldest = shared("tidelock_job_oldest_seconds", "For how long the oldest job of a kind could have started (waiting) or has been running (running); 0 where there is none.", "kind", "state")

	runs      = shared("tidelock_runs", "Plans, applies, state operations and drift checks that are open, by status. Of these held and interrupted wait for a person.", "kind", "status")
	runOldest = shared("tidelock_run_oldest_seconds", "Since the oldest open run of a kind and status was asked for; 0 where there is none.", "kind", "status")

	projectLocks      = shared("tidelock_project_locks", "Projects that a pull request has locked.")
	projectLockOldest = shared("tidelock_project_lock_oldest_seconds", "Since the oldest lock of a project was taken; 0 where there is none.")

	webhooksWaiting  = shared("tidelock_webhooks_waiting", "Webhooks that are stored and not worked off yet.")
	webhookOldest    = shared("tidelock_webhook_oldest_seconds", "Since the oldest webhook came that is not worked off yet; 0 where there is none.")
	webhooksSetAside = shared("tidelock_webhooks_set_aside", "Webhooks that could not be worked off and were set aside; the page of the queue lists them.")

	states           = shared("tidelock_states", "Terraform states that are kept here.")
	stateBytes       = shared("tidelock_state_stored_bytes", "What states take with all their versions, compressed and encrypted.")
	stateLocks       = shared("tidelock_state_locks", "States that somebody has locked, runs among them.")
	stateLockOldest  = shared("tidelock_state_lock_oldest_seconds", "Since the oldest lock of a state was taken; 0 where there is none.")
	clientStates     = shared("tidelock_client_states", "Terraform states of a client. Told where metrics.clients is set.", "client")
	clientStateBytes = shared("tidelock_client_state_stored_bytes", "What a client's states take with all their versions. Told where metrics.clients is set.", "client")

	driftProjects = shared("tidelock_drift_projects", "Projects by what their last drift check found: clean, drifted, or failed, which is that it could not compare.", "status")
	budgets       = shared("tidelock_budgets", "Budgets by how they stand: within, over, or unknown, which is that some of it has no price. Looked at every five minutes at most.", "standing")

	recoveries      = shared("tidelock_recoveries_open", "1 from when the database was restored until a person has ended the recovery: meanwhile nothing is applied; 0 otherwise.")
	backupLast      = shared("tidelock_backup_last_success_timestamp_seconds", "When the last backup ended that was read back and is whole, in seconds since 1970; left out where there was none.")
	backupLastBytes = shared("tidelock_backup_last_success_size_bytes", "Size of that backup.")
	backupFailed    = shared("tidelock_backup_last_failed", "1 where the last attempt to make a backup failed, 0 where it went well; left out where there was none.")

	databaseBytes = shared("tidelock_database_size_bytes", "Size of the database, indexes and free pages included.")
	walBytes      = state("tidelock_database_wal_size_bytes", "Size of SQLite's write-ahead log; left out on PostgreSQL.")
	databaseWhole = state("tidelock_database_whole", "1 while nothing is known of damage to SQLite's file, 0 from when a check or a statement met some: restore a backup; left out on PostgreSQL.")
	databaseSeen  = state("tidelock_database_checked_timestamp_seconds", "When all of SQLite's file was checked last, in seconds since 1970: each day, and where need be at the start; left out on PostgreSQL.")
	diskFree      = state("tidelock_disk_free_bytes", "What this server may still write to the disk of a folder: its data folder, or that of stored files.", "folder")
	diskSize      = state("tidelock_disk_size_bytes", "Size of the disk of a folder.", "folder")

	replicaLag    = state("tidelock_replica_lag_seconds", "Since all that was committed was in the replica: what was written since would be lost with the disk. Left out, as the others, where no replica is configured.")
	replicaUnsent = state("tidelock_replica_unsent_commits", "Commits that are known to be missing from the replica.")
	replicaLast   = state("tidelock_replica_last_success_timestamp_seconds", "When all was in the replica last, in seconds since 1970; left out until it once was.")
	replicaErrors = counter("tidelock_replica_errors_total", "Requests that the replica's bucket or folder refused.")

	githubLeft   = state("tidelock_github_requests_left", "Requests that GitHub still allows in this hour, where fewest are left: of all installations and the App itself. Left out until GitHub has told.", "resource")
	githubLimit  = state("tidelock_github_requests_limit", "Requests that GitHub allows in an hour, of the one that has fewest left.", "resource")
	githubHalted = state("tidelock_github_installations_halted", "Installations, the App itself counted as one, that may send nothing for now because GitHub said that it was too much at once.")

	figuresRead = state("tidelock_figures_read", "1 where the figures of a source could be read for this answer, 0 where they are left out.", "source")
	figuresTime = state("tidelock_figures_read_seconds", "How long reading the figures of a source took for this answer.", "source")
	buildInfo   = state("tidelock_build_info", "Always 1; the labels say which Tidelock this is, and on which database.", "version", "commit", "goversion", "database")
)

// What this server counts.
var (
	httpTime     = histogram(asked, "tidelock_http_request_duration_seconds", "Requests that this server answered, webhooks, pages, API and states alike, by kind of address, method and class of status; aborted where whoever asked was gone first.", "route", "method", "status")
	httpInFlight = state("tidelock_http_requests_in_flight", "Requests that this server is answering.")
	webhooks     = counter("tidelock_webhooks_received_total", "Requests at the webhook's address: stored, ignored (stored, and nothing to be done), duplicate, refused (forged, or no webhook), lost (it could not be stored, and GitHub will be asked again).", "outcome")
	githubTime   = histogram(call, "tidelock_github_request_duration_seconds", "Requests that this server sent to GitHub, until the answer began, by kind of address, method and status; none where no answer came.", "route", "method", "code")

	jobsWorked = counter("tidelock_jobs_worked_total", "Attempts at jobs that this server made, by how they ended: done, later (it waits for something), failed (it is tried again), dead (it is set aside), stopped (the server went down).", "kind", "outcome")
	jobTime    = histogram(work, "tidelock_job_duration_seconds", "How long attempts at jobs took.", "kind")
	jobWait    = histogram(work, "tidelock_job_wait_seconds", "How long jobs waited from when they could start until they did.", "kind")

	runsFinished = counter("tidelock_runs_finished_total", "Runs that ended on this server, by kind and by how they ended.", "kind", "outcome")
	runTime      = histogram(whole, "tidelock_run_duration_seconds", "How long runs took that ended on this server, from their begin.", "kind", "outcome")
	runWait      = histogram(whole, "tidelock_run_wait_seconds", "How long runs waited that ended on this server, for a worker, a lock or other projects, until they began.", "kind")

	stateActs = counter("tidelock_state_operations_total", "What this server was asked to do with states, by clients and runs, over any protocol: ok; locked is that somebody else holds the lock; the others are kinds of refusals and errors.", "operation", "outcome")
	stateTime = histogram(quick, "tidelock_state_operation_duration_seconds", "How long operations on states took, of a read until its first byte could be sent.", "operation")

	tokensShown = counter("tidelock_tokens_shown_total", "Tokens that this server was shown for states: ok, unknown, expired, revoked, or failed, which is that it could not look them up.", "outcome")

	blobActs = counter("tidelock_blob_operations_total", "What this server asked of the folder or bucket of stored files, and of the replica's.", "store", "operation", "outcome")
	blobTime = histogram(quick, "tidelock_blob_operation_duration_seconds", "How long that took, of a read until its first byte could be had.", "store", "operation")
)
