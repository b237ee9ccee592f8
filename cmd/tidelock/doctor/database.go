package doctor

import (
	"context"
	"errors"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/tidelock/tidelock/internal/backup"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// databaseFacts are what doctor asks a database.
type databaseFacts struct {
	have, want int64 // its version, and this binary's
	dialect    db.Dialect
	known      db.Wholeness // of the file, as the server noted it
}

// askDatabase opens the database, which with whole walks all of it.
func askDatabase(ctx context.Context, dsn string, whole bool) (f databaseFacts, err error) {
	var how []db.Option
	if whole {
		how = append(how, db.Whole())
	}
	d, err := db.Open(ctx, dsn, how...)
	if err != nil {
		return f, err
	}
	f.have, f.want, err = d.Version(ctx)
	f.dialect, f.known = d.Dialect(), d.Wholeness()
	return f, errors.Join(err, d.Close())
}

func checkDatabaseHealth(ctx context.Context, c *Clinic) Diagnosis {
	dsn := c.config.Database
	if dsn.Empty() || c.problems.Of("database", "database_file") != nil {
		return skip("the database is not known, see configuration")
	}
	if !c.config.DatabaseExists() {
		return ok("%s does not exist yet; the server makes it", c.config.DatabaseShown())
	}
	f, err := c.database(ctx, dsn.Reveal(), c.whole)
	shown := c.config.DatabaseShown()
	switch {
	case errs.Is(err, errs.Unavailable):
		return fail("is the database server running, and may this machine reach it?", "%s: %s", shown, errs.Explain(err))
	case err != nil:
		return fail("", "%s: %s", shown, errs.Explain(err))
	case f.have > f.want:
		return fail("start the newer Tidelock, or bring back a backup from before the upgrade",
			"%s has version %d, and this Tidelock knows versions up to %d: a newer one has used it", shown, f.have, f.want)
	case f.known.Damage != "" && c.whole:
		return warn("start the server again, which looks once more, and look after the disk", "%s is whole, but the server found it damaged: %s", shown, f.known.Damage)
	case f.known.Damage != "":
		return fail("stop the server, keep the file, and bring the last backup or the replica back with tidelock restore; tidelock doctor --whole database looks once more",
			"the server found %s damaged: %s", shown, f.known.Damage)
	case f.have < f.want:
		return warn("the server does it when it starts; to do it now: tidelock migrate", "%s has version %d and will be brought to %d", shown, f.have, f.want)
	case c.whole && f.dialect == db.SQLite:
		return ok("%s answers, is whole and has version %d", shown, f.have)
	case f.dialect != db.SQLite:
		return ok("%s answers and has version %d", shown, f.have)
	case f.known.Checked.IsZero():
		return ok("%s answers and has version %d; when all of it was checked is not known, tidelock doctor --whole does it", shown, f.have)
	}
	return ok("%s answers and has version %d; the server found all of it whole %s", shown, f.have, humanize.Time(f.known.Checked))
}

// oldBackup is how old the last backup may be: made once a day, and sometimes
// later than the day before.
const oldBackup = 26 * time.Hour

// checkBackup looks at what backups were made of this database. Those made by
// other means leave no trace in it.
func checkBackup(ctx context.Context, c *Clinic) Diagnosis {
	if c.config.Database.Empty() || c.problems.Of("database", "database_file", "replica.url") != nil {
		return skip("the database or the replica is not known, see configuration")
	}
	d, why := c.ledger(ctx)
	switch {
	case why != "":
		return skip("%s", why)
	case d == nil:
		return ok("there is nothing yet to back up")
	}
	defer d.Close()
	last, good, err := backup.LastAttempts(ctx, d)
	if err != nil {
		return fail("", "what backups were made is not known: %v", err)
	}
	return diagnoseBackups(last, good, c.config.Replica.URL != "", d.Dialect(), time.Now())
}

// diagnoseBackups judges the attempt that ended last and the last good one.
func diagnoseBackups(last, good *backup.Attempt, replica bool, dialect db.Dialect, now time.Time) Diagnosis {
	const mend = "make one each day from a timer: tidelock backup --out FILE; see docs/backup.md"
	switch {
	case last != nil && last.Outcome == backup.Failed && good == nil:
		return warn(mend, "none went well; the last attempt, %s, failed: %s", humanize.RelTime(last.Ended, now, "ago", "from now"), last.Error)
	case last != nil && last.Outcome == backup.Failed:
		return warn(mend, "the last attempt, %s, failed: %s\nthe last that went well is of %s", humanize.RelTime(last.Ended, now, "ago", "from now"), last.Error, good.Ended.Format(time.DateTime)+" UTC")
	case good == nil && replica:
		return ok("none is known; the replica is what there is, and keeps no older state than its own")
	case good == nil && dialect != db.SQLite:
		return ok("none was made with tidelock backup; PostgreSQL's own are not known here, and hold no plans and logs")
	case good == nil:
		return warn(mend+", or name a place for a replica with replica.url", "none is known, and there is no replica: with the disk all is lost")
	}
	made := humanize.RelTime(good.Ended, now, "ago", "from now") + ", " + humanize.IBytes(uint64(good.Size))
	switch {
	case good.Missing > 0:
		return warn("tidelock blobs check names them", "the last one was made %s, and %d stored files that it should hold were not there", made, good.Missing)
	case now.Sub(good.Ended) > oldBackup && !replica && dialect == db.SQLite:
		return warn(mend, "the last one was made %s, and there is no replica: what was written since is lost with the disk", made)
	case now.Sub(good.Ended) > oldBackup:
		return warn(mend, "the last one was made %s", made)
	}
	return ok("the last one was made %s, and was read back", made)
}
