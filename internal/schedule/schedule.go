package schedule

import (
	"encoding/binary"
	"hash/fnv"
	"strings"
	"time"
	_ "time/tzdata" // the places of the world, where the machine has no list of them

	"github.com/robfig/cron/v3"

	"github.com/tidelock/tidelock/internal/errs"
)

// Schedule is a cron expression at the clock of a place. The zero value is
// never due.
type Schedule struct {
	spec  cron.Schedule
	place *time.Location
}

// fields are cron's five; no seconds and no "@every", which would count from
// whenever the server was started.
var fields = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// longest is the longest expression that is read, in bytes.
const longest = 200

// Parse reads a cron expression of five fields ("0 6 * * 1-5"), or one of
// @hourly, @daily, @weekly, @monthly and @yearly, and an IANA time zone; "" is
// UTC. The error is errs.Invalid.
func Parse(expr, zone string) (Schedule, error) {
	expr = strings.TrimSpace(expr)
	place, err := parsePlace(zone)
	if err != nil {
		return Schedule{}, err
	}
	// The library reads a zone out of the expression too, and some of those
	// make it panic; @every hangs on when the program started.
	if len(expr) > longest || strings.Contains(expr, "TZ=") || strings.HasPrefix(expr, "@every") || strings.HasPrefix(expr, "@") && strings.ContainsRune(expr, ' ') {
		return Schedule{}, bad(expr)
	}
	spec, err := fields.Parse(expr)
	if err != nil {
		return Schedule{}, bad(expr)
	}
	s := Schedule{spec, place}
	if s.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Schedule{}, errs.New(errs.Invalid, "The schedule %q never comes due: no month has such a day.", expr)
	}
	return s, nil
}

func bad(expr string) error {
	if len(expr) > 60 {
		expr = strings.ToValidUTF8(expr[:60], "") + "…"
	}
	return errs.New(errs.Invalid, "The schedule %q can't be read. It has five fields: minute, hour, day of the month, month and day of the week, "+
		"such as \"0 6 * * 1-5\" for six o'clock from Monday to Friday.", expr)
}

func parsePlace(zone string) (*time.Location, error) {
	if zone == "" {
		return time.UTC, nil
	}
	place, err := time.LoadLocation(zone)
	// "Local" would be another place on every machine.
	if err != nil || zone == "Local" {
		return nil, errs.New(errs.Invalid, "There is no time zone %q. Time zones are written as in \"Europe/Vienna\" or \"UTC\".", zone)
	}
	return place, nil
}

// Next returns when the schedule is due for the first time after t; the zero
// time where it never is.
//
// When clocks are put forward, an hour that does not exist is left out; when
// they are put back, what is due in the hour that comes twice is due once.
func (s Schedule) Next(t time.Time) time.Time {
	if s.spec == nil {
		return time.Time{}
	}
	t = t.In(s.place)
	next := s.spec.Next(t)
	// The hour that comes twice: the same words of the clock, an hour later.
	for !next.IsZero() && next.Format(wall) == t.Format(wall) {
		next = s.spec.Next(next)
	}
	if next.IsZero() {
		return next
	}
	return next.UTC()
}

const wall = "2006-01-02 15:04"

// Spread returns the delay by which the thing with the seed begins after its
// tick, so that a thousand of them that are due at six do not begin at once: up
// to a tenth of the time between two ticks, most at most. It is the same for a
// thing each time.
func (s Schedule) Spread(seed int64, tick time.Time, most time.Duration) time.Duration {
	following := s.Next(tick)
	if following.IsZero() {
		return 0
	}
	if tenth := following.Sub(tick) / 10; tenth < most {
		most = tenth
	}
	if most <= 0 {
		return 0
	}
	h := fnv.New64a()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(seed))
	_, _ = h.Write(b[:]) // never fails
	return time.Duration(h.Sum64() % uint64(most)).Truncate(time.Second)
}
