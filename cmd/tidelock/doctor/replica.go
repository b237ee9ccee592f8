package doctor

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/tidelock/tidelock/cmd/tidelock/parts"
)

// checkReplica looks at what the server noted.
func checkReplica(_ context.Context, c *Clinic) Diagnosis {
	if c.problems.Of("replica.url") != nil {
		return skip("replica.url is not right, see configuration")
	}
	if c.config.Replica.URL == "" {
		if strings.HasPrefix(c.config.Database.Reveal(), "postgres") {
			return ok("PostgreSQL is replicated by its own means")
		}
		return ok("none: with the disk, what was written since the last backup is lost; see replica.url")
	}
	if strings.HasPrefix(c.config.Database.Reveal(), "postgres") {
		return fail("take replica.url out of the configuration", parts.NotForPostgres)
	}
	l, noted, err := parts.ReplicaLag(c.config)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return warn("start the server; it notes how far the replica is", "nothing is known of the replica yet")
	case err != nil:
		return fail("", "%v", err)
	}
	const mend = "the server's log says why; may its credentials write to replica.url?"
	behind := l.Since.Round(time.Second)
	switch age := time.Since(noted); {
	case age > time.Minute:
		return warn("is the server running?", "the server last told of the replica %s ago", age.Round(time.Second))
	case l.Since > time.Minute:
		return fail(mend, "the replica is %s behind, %d commits at least: they would be lost with the disk", behind, l.Commits)
	case l.Since > 10*time.Second:
		return warn(mend, "the replica is %s behind", behind)
	case c.config.Blobs.URL == "":
		return warn("name a bucket with blobs.url", "the replica is up to date, but plans, logs and large states lie on this disk alone")
	}
	return ok("up to date within %s", max(l.Since.Round(100*time.Millisecond), 100*time.Millisecond))
}
