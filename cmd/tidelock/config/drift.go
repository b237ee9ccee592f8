package config

import (
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/schedule"
	"github.com/tidelock/tidelock/planner"
)

// Drift says when projects are compared with the world, for repositories
// that say nothing else.
type Drift struct {
	Schedule  string // cron's five fields; "" or "off" for never
	Timezone  string // "" is UTC
	Remediate string // issue | pull | off
	Keep      time.Duration
}

func checkDriftSchedule(c *Config) string {
	if c.Drift.Schedule == "" || c.Drift.Schedule == planner.ScheduleOff {
		return ""
	}
	return notDue(c.Drift.Schedule, "")
}

func checkDriftTimezone(c *Config) string { return notDue("@daily", c.Drift.Timezone) }

// notDue is what is wrong with a schedule, as the end of a sentence that begins
// with the setting's name.
func notDue(expr, zone string) string {
	_, err := schedule.Parse(expr, zone)
	if err == nil {
		return ""
	}
	return "is not one that is understood. " + strings.TrimSpace(errs.Sentence(err))
}
