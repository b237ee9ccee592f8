package actuals

import (
	"os"

	"github.com/tidelock/tidelock/internal/errs"
)

// parquet reads a Parquet file.
func (o *opened) parquet(*os.File) error {
	return errs.New(errs.Invalid, "%s is a Parquet file; export CSV.", o.name)
}
