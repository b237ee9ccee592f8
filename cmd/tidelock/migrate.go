package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
)

// migration is the answer of `tidelock migrate --json`.
type migration struct {
	Database string `json:"database"` // without its password
	From     int64  `json:"from"`     // the version that was found, 0 for an empty database
	Version  int64  `json:"version"`  // the version that it has now
	Wanted   int64  `json:"wanted"`   // the version that this binary works with
	Current  bool   `json:"current"`  // whether the server could start on it
}

// newMigrateCommand returns `tidelock migrate`.
func newMigrateCommand(p *program) *cobra.Command {
	var status, asJSON bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Bring the database to this version of Tidelock",
		Long: "Brings the database to the version that this binary works with. `tidelock serve` does the same when it starts;\n" +
			"run it by itself to do it at a time of your choosing. It only goes forward: back up before. It needs the\n" +
			"settings data_dir and database and nothing of GitHub.",
		Example: "  tidelock migrate\n  tidelock migrate --status --json",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l := config.Read(p.configPath, p.environ, config.NeedDatabase)
			if err := l.Problems.Err(); err != nil {
				return err
			}
			m, err := migrate(cmd.Context(), l.Config, status)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(p.stdout, m)
			}
			_, err = fmt.Fprintln(p.stdout, m.sentence(status))
			return err
		},
	}
	cmd.Flags().BoolVar(&status, "status", false, "only tell the version; change nothing")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the versions as JSON")
	return cmd
}

// migrate brings the database up, or with status only looks.
func migrate(ctx context.Context, c config.Config, status bool) (migration, error) {
	m := migration{Database: c.DatabaseShown()}
	if status && !c.DatabaseExists() { // opening would make it
		return m, errs.New(errs.NotFound, "There is no database yet at %s; `tidelock migrate` makes it.", c.DatabaseShown())
	}
	var how []db.Option
	if !status {
		how = append(how, db.Whole()) // a migration is not taken back
	}
	d, err := db.Open(ctx, c.Database.Reveal(), how...)
	if err != nil {
		return m, err
	}
	defer d.Close()
	if m.From, m.Wanted, err = d.Version(ctx); err != nil {
		return m, err
	}
	m.Version = m.From
	if !status {
		if err := d.Migrate(ctx); err != nil {
			return m, err
		}
		if m.Version, m.Wanted, err = d.Version(ctx); err != nil {
			return m, err
		}
	}
	m.Current = m.Version == m.Wanted
	return m, nil
}

func (m migration) sentence(status bool) string {
	switch {
	case status && m.Version > m.Wanted:
		return fmt.Sprintf("The database has version %d and this Tidelock knows versions up to %d: a newer Tidelock has used it. Start that one.", m.Version, m.Wanted)
	case status && !m.Current:
		return fmt.Sprintf("The database has version %d; this Tidelock works with %d. Run `tidelock migrate`.", m.Version, m.Wanted)
	case status || m.From == m.Version:
		return fmt.Sprintf("The database has version %d, which is what this Tidelock works with.", m.Version)
	case m.From == 0:
		return fmt.Sprintf("The database is set up, at version %d.", m.Version)
	}
	return fmt.Sprintf("The database went from version %d to %d.", m.From, m.Version)
}
