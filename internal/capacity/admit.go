package capacity

// Need is what a run takes of the machine.
type Need struct {
	Run    string // names it
	Memory int64  // bytes, of all its processes
	Weight int    // cores' worth; less than 1 counts as 1, more than there is as all
	Apply  bool   // it goes before plans
}

// Limits are what there is. A zero limits nothing.
type Limits struct {
	Memory  int64 // bytes
	Plans   int   // weights of plans at once
	Applies int   // weights of applies at once
}

// MaxPassed is how often a waiting plan may be passed by a smaller one that
// came after it. An apply is never passed by a plan for want of memory.
const MaxPassed = 4

// Waiting is a run that waits, and how often it was passed.
type Waiting struct {
	Need
	Passed int
}

// Lack is what a run waits for.
type Lack string

// What runs wait for.
const (
	LackMemory Lack = "memory"
	LackCores  Lack = "a free core"
	LackTurn   Lack = "its turn" // there is room, and somebody has waited for longer
)

// Decision is what Admit says of one that waits.
type Decision struct {
	Admit  bool
	Lack   Lack // of one that is not admitted
	Passed int  // how often it was passed, this time included
}

// used is what those take that run.
type used struct {
	limits  Limits
	count   int
	memory  int64
	weights [2]int // of plans, of applies
}

func class(n Need) int {
	if n.Apply {
		return 1
	}
	return 0
}

// weight is what a run weighs where limit is all there is.
func weight(n Need, limit int) int {
	w := max(1, n.Weight)
	if limit > 0 {
		w = min(w, limit)
	}
	return w
}

func (u *used) limit(n Need) int {
	if n.Apply {
		return u.limits.Applies
	}
	return u.limits.Plans
}

func (u *used) add(n Need) {
	u.count++
	u.memory += max(0, n.Memory)
	u.weights[class(n)] += weight(n, u.limit(n))
}

// lack says what keeps a run from beginning, "" if nothing does.
func (u *used) lack(n Need) Lack {
	limit := u.limit(n)
	switch {
	case u.count == 0:
		return ""
	case u.limits.Memory > 0 && u.memory+max(0, n.Memory) > u.limits.Memory:
		return LackMemory
	case limit > 0 && u.weights[class(n)]+weight(n, limit) > limit:
		return LackCores
	}
	return ""
}

// Admit decides which of those that wait, in the order they came, may begin
// now. Pure.
func Admit(l Limits, running []Need, waiting []Waiting) []Decision {
	u := used{limits: l}
	for _, n := range running {
		u.add(n)
	}
	out := make([]Decision, len(waiting))
	var skipped []int // for want of memory or cores
	for _, apply := range []bool{true, false} {
		for i, w := range waiting {
			if w.Apply != apply {
				continue
			}
			out[i].Passed += w.Passed
			if out[i].Lack = u.lack(w.Need); out[i].Lack != "" {
				skipped = append(skipped, i)
				continue
			}
			var passes []int
			for _, j := range skipped {
				if !competes(w.Need, waiting[j].Need, out[j].Lack) {
					continue
				}
				if passes = append(passes, j); out[j].Passed >= MaxPassed || waiting[j].Apply && !apply {
					out[i].Lack = LackTurn
					break
				}
			}
			if out[i].Lack == LackTurn {
				continue
			}
			out[i].Admit = true
			u.add(w.Need)
			for _, j := range passes {
				out[j].Passed++
			}
		}
	}
	return out
}

// competes reports whether a run would take what the one before it waits for.
func competes(n, before Need, lack Lack) bool {
	return lack == LackMemory || class(n) == class(before)
}
