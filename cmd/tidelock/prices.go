package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tidelock/tidelock/cmd/tidelock/config"
	"github.com/tidelock/tidelock/internal/access"
	"github.com/tidelock/tidelock/internal/db"
	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/prices"
)

// newPricesCommand returns `tidelock prices` with its subcommands.
func newPricesCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "prices",
		Short: "Show and import the list prices that estimates are made with",
		Long: "Estimates are made with the list prices that are part of the program, and with those that were imported into the\n" +
			"server's database, which go before them. `status` tells what is covered and how old it is, `show` one price, and\n" +
			"`import` reads the clouds' own price lists. `discount` and `rate` say what clients make of them.",
		Example: "  tidelock prices status\n" +
			"  tidelock prices show aws/ec2-linux/eu-west-1/m5.large\n" +
			"  tidelock prices import aws --service AmazonEC2 --region eu-west-1",
		Args: noArgs,
		RunE: helpWithoutCommand,
	}
	cmd.AddCommand(newPricesImportCommand(p), newPricesStatusCommand(p), newPricesShowCommand(p), newPricesDiscountCommand(p), newPricesRateCommand(p))
	return cmd
}

// pricesDesk is the store of imported prices, where there is one.
type pricesDesk struct {
	db    *db.DB // nil without a database
	store *prices.Store
	why   string // there is none
}

func (d pricesDesk) close() {
	if d.db != nil {
		_ = d.db.Close() // everything is committed by then
	}
}

// openPrices opens the server's database. Without one there is nothing imported,
// which is no error: the embedded prices need none.
func (p *program) openPrices(ctx context.Context) (pricesDesk, error) {
	d, _, why, err := p.openDatabase(ctx)
	if err != nil || d == nil {
		return pricesDesk{why: why}, err
	}
	return pricesDesk{db: d, store: prices.NewStore(d, access.NewTrail(d), nil)}, nil
}

// openDatabase opens the database of the server's configuration for a command
// that can do without one: where no server has used one, it is nil, and why says
// so to people.
func (p *program) openDatabase(ctx context.Context) (d *db.DB, c config.Config, why string, err error) {
	l := config.Read(p.configPath, p.environ, config.NeedDatabase)
	if err := l.Problems.Err(); err != nil {
		if l.File == "" && p.configPath == "" {
			return nil, c, "No configuration says where the database is: give --config or TIDELOCK_DATA_DIR.", nil
		}
		return nil, c, "", err
	}
	if !l.Config.DatabaseExists() { // opening would make it
		return nil, c, "There is no database yet at " + l.Config.DatabaseShown() + "; `tidelock migrate` makes it.", nil
	}
	if d, err = db.Open(ctx, l.Config.Database.Reveal()); err != nil {
		return nil, c, "", err
	}
	have, want, err := d.Version(ctx)
	if err == nil && have != want {
		err = errs.New(errs.Conflict, "The database has version %d, and this Tidelock works with %d. Use the server's own program, or run `tidelock migrate`.", have, want)
	}
	if err != nil {
		_ = d.Close() // nothing was written
		return nil, c, "", err
	}
	return d, l.Config, "", nil
}
