package capacity_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/capacity"
)

// parse reads "plan 300 x2, apply 100": kind, memory, weight.
func parse(t *testing.T, text string) (out []capacity.Need) {
	t.Helper()
	for i, part := range strings.Split(text, ", ") {
		if part == "" {
			continue
		}
		var kind string
		n := capacity.Need{Run: fmt.Sprint(i), Weight: 1}
		if _, err := fmt.Sscanf(part, "%s %d x%d", &kind, &n.Memory, &n.Weight); err != nil {
			if _, err := fmt.Sscanf(part, "%s %d", &kind, &n.Memory); err != nil {
				t.Fatal(part, err)
			}
			n.Weight = 1
		}
		n.Apply = kind == "apply"
		out = append(out, n)
	}
	return out
}

func TestAdmit(t *testing.T) {
	limits := capacity.Limits{Memory: 1000, Plans: 4, Applies: 2}
	for _, c := range []struct {
		name             string
		running, waiting string
		passed           int // of all that wait
		want             string
	}{
		{"room for all", "", "plan 300, plan 300, apply 300", 0, "in, in, in"},
		{"memory for two", "", "plan 400, plan 400, plan 400", 0, "in, in, memory"},
		{"cores for four", "", "plan 10, plan 10, plan 10, plan 10, plan 10", 0, "in, in, in, in, a free core"},
		{"a heavy one", "", "plan 10 x3, plan 10 x3, plan 10", 0, "in, a free core, in"},
		{"heavier than all cores", "", "plan 10 x9", 0, "in"},
		{"heavier than all cores beside another", "plan 10", "plan 10 x9, plan 10", 0, "a free core, in"},
		{"larger than the machine", "", "plan 5000", 0, "in"},
		{"larger than the machine beside another", "plan 10", "plan 5000", 0, "memory"},
		{"beside one that is larger than the machine", "plan 5000", "plan 1, apply 1", 0, "memory, memory"},
		{"applies have cores of their own", "plan 10 x4", "plan 10, apply 10, apply 10, apply 10", 0, "a free core, in, in, a free core"},
		{"applies go first", "plan 500", "plan 300, plan 300, apply 400", 0, "memory, memory, in"},
		{"a small one passes a large one", "plan 500", "plan 600, plan 100, plan 100", 0, "memory, in, in"},
		{"not for ever", "plan 500", "plan 600, plan 100", capacity.MaxPassed, "memory, its turn"},
		{"and no more often than that at once", "plan 300 x1", "plan 900, plan 10, plan 10", capacity.MaxPassed - 1, "memory, in, its turn"},
		{"nor one that is too heavy", "plan 10 x2", "plan 10 x3, plan 10", capacity.MaxPassed, "a free core, its turn"},
		{"which holds back no apply", "plan 10 x2", "plan 10 x3, apply 10", capacity.MaxPassed, "a free core, in"},
		{"plans don't pass an apply that waits for memory", "plan 500", "plan 100, apply 600", 0, "its turn, memory"},
		{"but one that waits for applies to end", "apply 10 x2", "apply 10, plan 100", 0, "a free core, in"},
		{"a small apply passes a large one", "plan 500", "apply 600, apply 100", 0, "memory, in"},
		{"nobody waits", "plan 500", "", 0, ""},
	} {
		var waiting []capacity.Waiting
		for _, n := range parse(t, c.waiting) {
			waiting = append(waiting, capacity.Waiting{Need: n, Passed: c.passed})
		}
		var got []string
		for _, d := range capacity.Admit(limits, parse(t, c.running), waiting) {
			if d.Admit != (d.Lack == "") {
				t.Errorf("%s: %+v", c.name, d)
			}
			if d.Admit {
				got = append(got, "in")
			} else {
				got = append(got, string(d.Lack))
			}
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %s, not %s", c.name, strings.Join(got, ", "), c.want)
		}
	}
}

func TestAdmitWithoutLimits(t *testing.T) {
	var waiting []capacity.Waiting
	for range 100 {
		waiting = append(waiting, capacity.Waiting{Need: capacity.Need{Memory: 1 << 40, Weight: 50}})
	}
	for i, d := range capacity.Admit(capacity.Limits{}, nil, waiting) {
		if !d.Admit {
			t.Fatalf("%d: %+v", i, d)
		}
	}
}

// Whatever comes and in whatever order it ends: there is never more in use than
// there is, but by one that is alone; something runs whenever somebody waits;
// nobody is passed more than MaxPassed times, and so everybody gets in.
func TestAdmitAlways(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		limits := capacity.Limits{Memory: 1000, Plans: 1 + rnd.IntN(6), Applies: 1 + rnd.IntN(3)}
		var running []capacity.Need
		var waiting []capacity.Waiting
		came, entered := 0, map[string]bool{}
		for step := 0; step < 300 || len(waiting) > 0; step++ {
			if step > 5000 {
				t.Fatalf("seed %d: %d still wait", seed, len(waiting))
			}
			for step < 200 && len(waiting) < 25 && rnd.IntN(3) > 0 {
				came++
				waiting = append(waiting, capacity.Waiting{Need: capacity.Need{
					Run: fmt.Sprint(came), Memory: int64(rnd.IntN(rnd.IntN(1400) + 1)), Weight: rnd.IntN(8), Apply: rnd.IntN(4) == 0,
				}})
			}
			before := len(waiting)
			decisions := capacity.Admit(limits, running, waiting)
			var left []capacity.Waiting
			for i, d := range decisions {
				w := waiting[i]
				w.Passed = d.Passed
				if w.Passed > capacity.MaxPassed {
					t.Fatalf("seed %d: %+v", seed, w)
				}
				if d.Admit {
					running = append(running, w.Need)
					entered[w.Run] = true
				} else {
					left = append(left, w)
				}
			}
			waiting = left
			if before > 0 && len(running) == 0 {
				t.Fatalf("seed %d: %d wait and nothing runs", seed, before)
			}
			var memory int64
			var weights [2]int
			for _, n := range running {
				memory += n.Memory
				if n.Apply {
					weights[1] += min(max(1, n.Weight), limits.Applies)
				} else {
					weights[0] += min(max(1, n.Weight), limits.Plans)
				}
			}
			if len(running) > 1 && memory > limits.Memory || weights[0] > limits.Plans || weights[1] > limits.Applies {
				t.Fatalf("seed %d: %+v of %+v", seed, running, limits)
			}
			for len(running) > 0 && rnd.IntN(2) > 0 {
				i := rnd.IntN(len(running))
				running = append(running[:i], running[i+1:]...)
			}
		}
		if len(entered) != came {
			t.Fatalf("seed %d: %d of %d got in", seed, len(entered), came)
		}
	}
}
