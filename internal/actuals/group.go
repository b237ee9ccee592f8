package actuals

import (
	"bytes"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// unit is what is replaced as a whole: one billing period of one sub account.
type unit struct {
	Period     string `json:"period"` // first day, UTC
	Provider   string `json:"provider"`
	Account    string `json:"billing_account"`
	SubAccount string `json:"sub_account,omitempty"`
}

// account is the unit without the sub account: what an export covers.
func (u unit) account() unit { u.SubAccount = ""; return u }

// group is the sum of the lines that are alike.
type group struct {
	unit
	service, resource, category string
	correction                  bool
	currency, tags              string

	// What may differ between lines that are alike: of several words the
	// greatest is kept, so that the order of lines does not matter.
	subAccountName, resourceName, resourceType, region string

	periodEnd, through time.Time // of the billing period; of the last usage, zero for none
	billed             decimal.Decimal
	effective          decimal.Decimal
	list               decimal.Decimal
	lines, unlisted    int64
}

// sep stands between the parts of a key. No field has it: see csvReader.
const sep = 0

// key are the words by which lines are alike, those of the unit first, so that
// sorted groups come unit by unit.
func (g *group) key(b []byte) []byte {
	for _, s := range [...]string{g.Period, g.Provider, g.Account, g.SubAccount, g.currency, g.service, g.resource, g.category} {
		b = append(append(b, s...), sep)
	}
	if g.correction {
		b = append(b, 'c')
	}
	return append(append(b, sep), g.tags...)
}

// fromKey sets what key wrote.
func (g *group) fromKey(key string) {
	part := strings.SplitN(key, string(rune(sep)), 10)
	g.Period, g.Provider, g.Account, g.SubAccount = part[0], part[1], part[2], part[3]
	g.currency, g.service, g.resource, g.category = part[4], part[5], part[6], part[7]
	g.correction, g.tags = part[8] == "c", part[9]
}

// add takes in what another of the same key has.
func (g *group) add(o *group) {
	g.subAccountName, g.resourceName = max(g.subAccountName, o.subAccountName), max(g.resourceName, o.resourceName)
	g.resourceType, g.region = max(g.resourceType, o.resourceType), max(g.region, o.region)
	if o.periodEnd.After(g.periodEnd) {
		g.periodEnd = o.periodEnd
	}
	if o.through.After(g.through) {
		g.through = o.through
	}
	g.billed, g.effective, g.list = g.billed.Add(o.billed), g.effective.Add(o.effective), g.list.Add(o.list)
	g.lines += o.lines
	g.unlisted += o.unlisted
}

// compared reports whether estimates are held against the charge.
func compared(category string) bool { return category == Usage || category == Purchase }

// amounts are the group's.
func (g *group) amounts() Amounts {
	a := Amounts{Billed: g.billed, Effective: g.effective, List: g.list, Lines: g.lines, Unlisted: g.unlisted}
	if compared(g.category) {
		a.Compared = g.effective
	}
	return a
}

// The categories of charges.
const (
	Usage      = "Usage"
	Purchase   = "Purchase"
	Tax        = "Tax"
	Credit     = "Credit"
	Adjustment = "Adjustment"
)

var categories = []string{Usage, Purchase, Tax, Credit, Adjustment}

// bulk is about what a group takes of the memory beside its words, with the
// table that it stands in.
const bulk = 640

func (g *group) size(key int) int {
	return key + len(g.subAccountName) + len(g.resourceName) + len(g.resourceType) + len(g.region) + bulk
}

// groups sums lines up. What does not fit into the memory goes to files.
type groups struct {
	dir   string // of the files; made when the first is needed
	limit int    // bytes
	temp  func() (string, error)

	held   map[string]*group
	bytes  int
	key    []byte
	files  []string
	intern map[string]string
}

func newGroups(limit int, temp func() (string, error)) *groups {
	return &groups{limit: limit, temp: temp, held: map[string]*group{}, intern: map[string]string{}}
}

// word returns the text as a string that is made once for each text, as long as
// there are few of them.
func (gs *groups) word(b []byte) string {
	b = bytes.TrimSpace(b)
	if s, ok := gs.intern[string(b)]; ok {
		return s
	}
	s := string(b)
	if isNull(s) {
		s = ""
	}
	if len(s) < 128 && len(gs.intern) < 4096 {
		gs.intern[string(b)] = s
	}
	return s
}

// add takes in one line, which may be changed afterwards.
func (gs *groups) add(line *group) error {
	gs.key = line.key(gs.key[:0])
	if have, ok := gs.held[string(gs.key)]; ok {
		have.add(line)
		return nil
	}
	g := *line
	key := string(gs.key)
	g.fromKey(key) // or the words would be held twice
	gs.held[key] = &g
	gs.bytes += g.size(len(key))
	if gs.bytes > gs.limit {
		return gs.spill()
	}
	return nil
}
