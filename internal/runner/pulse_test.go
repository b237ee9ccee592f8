package runner

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tidelock/tidelock/planner/tfrun"
)

// felt is a pulse with what it journals and logs.
type felt struct {
	*pulse
	log     strings.Builder
	journal []entry
}

// feel runs f with a pulse that beats, on a clock that stands still while
// anything is done.
func feel(t *testing.T, f func(p *felt)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		p := &felt{}
		p.pulse = newPulse(&p.log, func(e entry) { p.journal = append(p.journal, e) })
		f(p)
	})
}

// pass lets time go by, with the beats that belong to it.
func (p *felt) pass(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(pulsePace)
		p.beat()
	}
}

func (p *felt) last() tfrun.Progress {
	if len(p.journal) == 0 {
		return tfrun.Progress{}
	}
	return *p.journal[len(p.journal)-1].Progress
}

// A provider that says nothing is told of after half a minute: in the journal,
// which goes on saying for how long, and in the log, more and more rarely. The
// first word ends it.
func TestFault27_SilenceIsTold(t *testing.T) {
	feel(t, func(p *felt) {
		_, _ = p.Write([]byte("a.b: Refreshing state...\n"))
		p.progress(tfrun.Progress{Step: "plan", Done: 1, Total: 4, Guess: true, Address: "a.b", Doing: "refreshing"})
		p.pass(29 * time.Second)
		if now := p.last(); now.Quiet != 0 || now.Elapsed < 20*time.Second {
			t.Errorf("after 29 s: %+v", now)
		}
		p.pass(2 * time.Second)
		p.pass(freshPace)
		if now := p.last(); now.Quiet < quietAfter || !strings.HasPrefix(now.Now(), "no word from Terraform for 3") || !strings.Contains(now.Now(), "(last: refreshing a.b, for 3") {
			t.Errorf("after half a minute: %+v, %q", now, now.Now())
		}
		p.pass(10 * time.Minute)
		if now := p.last(); now.Quiet < 10*time.Minute {
			t.Errorf("after ten minutes: %+v", now)
		}
		want := "a.b: Refreshing state...\n" +
			"[Tidelock: 1 of about 4; no word from Terraform for 30s (last: refreshing a.b, for 30s)]\n" +
			"[Tidelock: 1 of about 4; no word from Terraform for 1m0s (last: refreshing a.b, for 1m0s)]\n" +
			"[Tidelock: 1 of about 4; no word from Terraform for 2m0s (last: refreshing a.b, for 2m0s)]\n" +
			"[Tidelock: 1 of about 4; no word from Terraform for 4m0s (last: refreshing a.b, for 4m0s)]\n" +
			"[Tidelock: 1 of about 4; no word from Terraform for 8m0s (last: refreshing a.b, for 8m0s)]\n"
		if p.log.String() != want {
			t.Errorf("the log:\n%s\nnot:\n%s", p.log.String(), want)
		}
		_, _ = p.Write([]byte("a.b: Still there\n"))
		p.pass(freshPace + pulsePace)
		if now := p.last(); now.Quiet != 0 || now.Doing != "refreshing" {
			t.Errorf("after a word: %+v", now)
		}
		p.pass(quietAfter)
		if !strings.HasSuffix(p.log.String(), "[Tidelock: 1 of about 4; no word from Terraform for 30s (last: refreshing a.b, for 11m6s)]\n") {
			t.Errorf("silent again, the log ends in %q", p.log.String()[p.log.Len()-150:])
		}
	})
}

// The log says how far the run is now and then, where that has changed.
func TestLogTellsProgress(t *testing.T) {
	feel(t, func(p *felt) {
		for i := range 120 {
			if i < 60 {
				p.progress(tfrun.Progress{Step: "plan", Done: i, Address: fmt.Sprint("a.", i)})
			} else {
				_, _ = p.Write([]byte("."))
			}
			p.pass(time.Second)
		}
		if got, want := strings.ReplaceAll(p.log.String(), ".\n", "\n"), "[Tidelock: 29 done after 30s]\n[Tidelock: 59 done after 1m0s]\n"+strings.Repeat(".", 60); got != want {
			t.Errorf("%q, not %q", got, want)
		}
	})
}

// A plan of thousands of objects does not fill the journal, and its last word
// is in it all the same.
func TestProgressIsPaced(t *testing.T) {
	feel(t, func(p *felt) {
		for i := range 10_000 {
			p.progress(tfrun.Progress{Step: "plan", Done: i + 1})
			time.Sleep(100 * time.Microsecond)
			if i%2000 == 0 {
				p.beat()
			}
		}
		p.flush()
		if n := len(p.journal); n > 20 || p.last().Done != 10_000 {
			t.Errorf("%d entries, the last of %d", n, p.last().Done)
		}
		n := len(p.journal)
		p.flush()
		if len(p.journal) != n {
			t.Error("the same was journaled twice")
		}
	})
}
