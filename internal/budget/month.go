package budget

import (
	"fmt"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// Month is a calendar month in UTC. As text, and in JSON, it is "2026-11".
type Month struct {
	Year  int
	Month time.Month
}

// MonthOf returns the month that a moment lies in.
func MonthOf(t time.Time) Month {
	t = t.UTC()
	return Month{t.Year(), t.Month()}
}

// ParseMonth reads "2026-11".
func ParseMonth(text string) (Month, error) {
	t, err := time.Parse("2006-01", text)
	if err != nil {
		return Month{}, errs.New(errs.Invalid, "A month is written like 2026-11, not %q.", text)
	}
	return MonthOf(t), nil
}

// String writes the month as 2026-11.
func (m Month) String() string { return fmt.Sprintf("%04d-%02d", m.Year, int(m.Month)) }

// IsZero reports whether it is no month at all.
func (m Month) IsZero() bool { return m == Month{} }

// Start is the month's first moment.
func (m Month) Start() time.Time { return time.Date(m.Year, m.Month, 1, 0, 0, 0, 0, time.UTC) }

// End is the first moment after the month.
func (m Month) End() time.Time { return m.Start().AddDate(0, 1, 0) }

// Add returns the month that is n months later, or earlier where n is negative.
func (m Month) Add(n int) Month { return MonthOf(m.Start().AddDate(0, n, 0)) }

// Before reports whether m comes before o.
func (m Month) Before(o Month) bool { return m.Start().Before(o.Start()) }

// Hours is how many hours the month has.
func (m Month) Hours() int64 { return int64(m.End().Sub(m.Start()) / time.Hour) }

// MarshalText writes the month as 2026-11.
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads 2026-11.
func (m *Month) UnmarshalText(text []byte) error {
	got, err := ParseMonth(string(text))
	if err == nil {
		*m = got
	}
	return err
}

// Months lists the months from one to another, both included.
func Months(from, to Month) []Month {
	var all []Month
	for m := from; !to.Before(m); m = m.Add(1) {
		all = append(all, m)
	}
	return all
}
