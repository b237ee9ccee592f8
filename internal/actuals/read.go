package actuals

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

// Limits bound what an import reads. The zero value of each is a default.
type Limits struct {
	Bytes int64 // unpacked, of all files
	Ratio int64 // unpacked to packed
	// RatioFrom is from how many bytes on the ratio is looked at: a small file
	// of one line a thousand times compresses better than any export.
	RatioFrom int64
	Memory    int // for sums, in bytes; the rest goes to files
	Parts     int // billing periods × accounts × sub accounts
}

func (l *Limits) defaults() {
	set := func(v *int64, to int64) {
		if *v <= 0 {
			*v = to
		}
	}
	set(&l.Bytes, 256<<30)
	set(&l.Ratio, 200)
	set(&l.RatioFrom, 64<<20)
	if l.Memory <= 0 {
		l.Memory = 24 << 20
	}
	if l.Parts <= 0 {
		l.Parts = 100_000
	}
}

// Options of Read.
type Options struct {
	Limits   Limits
	TempDir  string // where what does not fit into the memory goes; "" for the system's
	Progress func(file string, lines int64)
}

// Part is what an export has of one unit.
type Part struct {
	unit
	Name    string             `json:"sub_account_name,omitempty"`
	Lines   int64              `json:"lines"`
	Rows    int64              `json:"rows"` // that the lines were summed up to
	Totals  map[string]Amounts `json:"totals"`
	End     time.Time          `json:"period_end"`
	Through time.Time          `json:"through,omitzero"`
	Digest  string             `json:"-"`
}

// Reading is an export that was read and found to be whole and well formed.
type Reading struct {
	Sources []Source
	Parts   []Part // by period, provider, account and sub account
	Lines   int64
	groups  *groups
}

// Close removes the files in which the sums may lie.
func (r *Reading) Close() error { return r.groups.close() }

// maxCurrencies is more than the world has.
const maxCurrencies = 300

// maxFaults is how many bad lines are told at once.
const maxFaults = 10

// Read reads the files of an export, all of which together replace what was
// imported of its periods. The error is errs.Invalid or errs.TooLarge, with a
// line for each fault that names file and line; nothing is kept then.
func Read(ctx context.Context, paths []string, o Options) (_ *Reading, err error) {
	o.Limits.defaults()
	r := &Reading{groups: newGroups(o.Limits.Memory, func() (string, error) { return os.MkdirTemp(o.TempDir, "tidelock-billing-") })}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	var unpacked int64
	seen := map[string]string{}
	for _, path := range paths {
		s, err := r.file(ctx, path, &o, &unpacked)
		if err != nil {
			return nil, err
		}
		if before, twice := seen[s.SHA256]; twice {
			return nil, errs.New(errs.Invalid, "%s and %s are the same file, and would be counted twice. Name it once.", before, path)
		}
		seen[s.SHA256] = path
		r.Sources = append(r.Sources, s)
		r.Lines += s.Lines
	}
	if r.Lines == 0 {
		return nil, errs.New(errs.Invalid, "There is no line in what was to be imported. Nothing was changed.")
	}
	if err := r.sumUp(o.Limits.Parts); err != nil {
		return nil, err
	}
	return r, nil
}

// file reads one file.
func (r *Reading) file(ctx context.Context, path string, o *Options, unpacked *int64) (Source, error) {
	s := Source{Name: filepath.Base(path)}
	in, err := open(path, &o.Limits, unpacked)
	if err != nil {
		return s, err
	}
	defer func() { _ = in.close() }() // it was only read
	for {
		name, t, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return s, err
		}
		l := lines{groups: r.groups, name: name}
		if err := l.all(ctx, t, o.Progress); err != nil {
			return s, err
		}
		s.Lines += l.n
		s.Version = max(s.Version, l.header.version)
	}
	if in.finish != nil {
		if err := in.finish(); err != nil {
			return s, fmt.Errorf("read %s: %w", path, err)
		}
	}
	s.SHA256, s.Bytes = in.checksum(), in.size
	return s, nil
}

// sumUp makes the parts of the groups.
func (r *Reading) sumUp(most int) error {
	var p *Part
	var sum hash.Hash
	end := func() {
		if p != nil {
			p.Digest = hex.EncodeToString(sum.Sum(nil))
		}
	}
	var buf []byte
	currencies := map[string]bool{}
	err := r.groups.each(func(g *group) error {
		if p == nil || p.unit != g.unit {
			end()
			if len(r.Parts) == most {
				return errs.New(errs.TooLarge, "The export has more than %d sub accounts and periods, the most that is read in one import.", most)
			}
			r.Parts = append(r.Parts, Part{unit: g.unit, Totals: map[string]Amounts{}})
			p, sum = &r.Parts[len(r.Parts)-1], sha256.New()
		}
		if currencies[g.currency] = true; len(currencies) > maxCurrencies {
			return errs.New(errs.Invalid, "The export has charges in more than %d currencies, which is no bill. Nothing was imported.", maxCurrencies)
		}
		p.Name = max(p.Name, g.subAccountName)
		p.Lines += g.lines
		p.Rows++
		p.Totals[g.currency] = p.Totals[g.currency].Plus(g.amounts())
		if g.periodEnd.After(p.End) {
			p.End = g.periodEnd
		}
		if g.through.After(p.Through) {
			p.Through = g.through
		}
		buf = g.encode(buf[:0], string(g.key(nil)))
		sum.Write(buf) // never fails
		return nil
	})
	end()
	return err
}

// lines reads the lines of one table.
type lines struct {
	groups *groups
	name   string // of the file
	header header
	n      int64
	faults []string
	times  map[string]time.Time // few moments stand in many lines
	tags   map[string]string    // as read, to what is kept
}

func (l *lines) fault(place, text string) {
	if !strings.HasSuffix(text, "?") {
		text = strings.TrimSuffix(text, ".") + "."
	}
	l.faults = append(l.faults, fmt.Sprintf("%s, %s: %s", l.name, place, text))
}

func (l *lines) all(ctx context.Context, t table, progress func(string, int64)) error {
	l.times, l.tags = map[string]time.Time{}, map[string]string{}
	names, err := t.read()
	if err != nil {
		return l.stop(t, err)
	}
	words := make([]string, len(names))
	for i, n := range names {
		words[i] = string(n)
	}
	if l.header, err = readHeader(words); err != nil {
		l.fault(t.place(), err.Error())
		return l.told()
	}
	for {
		cells, err := t.read()
		if err != nil {
			return l.stop(t, err)
		}
		l.n++
		if l.n%4096 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if progress != nil {
				progress(l.name, l.n)
			}
		}
		var g group
		if where, err := l.line(cells, &g); err != nil {
			if where != "" {
				where += " "
			}
			if l.fault(t.place(), where+err.Error()); len(l.faults) == maxFaults {
				return l.told()
			}
			continue
		}
		if len(l.faults) > 0 {
			continue // nothing is kept any more
		}
		if err := l.groups.add(&g); err != nil {
			return err
		}
	}
}

// stop ends the reading of a table with what is to be told.
func (l *lines) stop(t table, err error) error {
	var f fault
	switch {
	case errors.Is(err, io.EOF):
		if l.header.width == 0 {
			l.fault("line 1", "the file is empty. Export it again")
		}
		return l.told()
	case errors.As(err, &f):
		l.fault(fmt.Sprintf("line %d", f.line), f.text)
		return l.told()
	case errs.Is(err, errs.TooLarge):
		return errs.Wrap(errs.TooLarge, err, "%s, after %s: %s", l.name, t.place(), errs.Sentence(err))
	}
	return errs.Wrap(errs.Invalid, err, "%s can't be read on after %s: it is cut or broken. Download it again; nothing was changed.", l.name, t.place())
}

func (l *lines) told() error {
	if len(l.faults) == 0 {
		return nil
	}
	more := ""
	if len(l.faults) == maxFaults {
		more = "\nThere may be more."
	}
	return errs.New(errs.Invalid, "%s%s\nNothing was imported.", strings.Join(l.faults, "\n"), more)
}

// show is a value in a sentence.
func show(s string) string {
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}

// line reads one line into g. The error goes on after the column's name.
func (l *lines) line(cells [][]byte, g *group) (string, error) {
	if len(cells) != l.header.width {
		return "", fmt.Errorf("there are %d fields, and the header has %d. A comma may stand outside quotes", len(cells), l.header.width)
	}
	cell := func(c int) string {
		if at := l.header.at[c]; at >= 0 {
			return l.groups.word(cells[at])
		}
		return ""
	}
	wrong := func(c int, err error) (string, error) {
		return columns[c].name, fmt.Errorf("%s %w", show(cell(c)), err)
	}
	need := func(c int) error {
		if cell(c) == "" {
			return errors.New("has no value, and FOCUS demands one")
		}
		return nil
	}
	for _, c := range [...]int{colBilled, colEffective, colAccount, colCurrency, colPeriodStart, colPeriodEnd, colChargeStart, colChargeEnd, colCategory, colProvider, colService} {
		if err := need(c); err != nil {
			return columns[c].name, err
		}
	}
	var moments [4]time.Time
	for i, c := range [...]int{colPeriodStart, colPeriodEnd, colChargeStart, colChargeEnd} {
		t, err := l.time(cell(c))
		if err != nil {
			return wrong(c, err)
		}
		moments[i] = t
	}
	if !moments[0].Before(moments[1]) {
		return wrong(colPeriodEnd, errors.New("is not after BillingPeriodStart"))
	}
	if moments[3].Before(moments[2]) {
		return wrong(colChargeEnd, errors.New("is before ChargePeriodStart"))
	}
	var err error
	if g.billed, err = parseAmount(cell(colBilled)); err != nil {
		return wrong(colBilled, err)
	}
	if g.effective, err = parseAmount(cell(colEffective)); err != nil {
		return wrong(colEffective, err)
	}
	if text := cell(colList); text == "" {
		g.unlisted = 1
	} else if g.list, err = parseAmount(text); err != nil {
		return wrong(colList, err)
	}
	if g.currency = cell(colCurrency); !isCurrency(g.currency) {
		return wrong(colCurrency, errors.New("is no currency's code, as USD"))
	}
	for _, known := range categories {
		if strings.EqualFold(cell(colCategory), known) {
			g.category = known
		}
	}
	if g.category == "" {
		return wrong(colCategory, fmt.Errorf("is none of FOCUS's: %s", strings.Join(categories, ", ")))
	}
	switch class := cell(colClass); {
	case strings.EqualFold(class, "Correction"):
		g.correction = true
	case class != "":
		return wrong(colClass, errors.New("is neither Correction nor nothing"))
	}
	if at := l.header.at[colTags]; at >= 0 {
		tags, err := l.tag(cells[at])
		if err != nil {
			return columns[colTags].name, fmt.Errorf("%s %w", show(string(cells[at])), err)
		}
		g.tags = tags
	}
	g.Period, g.Provider, g.Account, g.SubAccount = moments[0].Format(time.DateOnly), cell(colProvider), cell(colAccount), cell(colSubAccount)
	g.service, g.resource = cell(colService), cell(colResource)
	g.subAccountName, g.resourceName, g.resourceType, g.region = cell(colSubAccountName), cell(colResourceName), cell(colResourceType), cell(colRegion)
	g.periodEnd, g.lines = moments[1], 1
	if g.category == Usage { // a purchase may be for years ahead
		g.through = moments[3]
		if g.through.After(g.periodEnd) {
			g.through = g.periodEnd
		}
	}
	return "", nil
}

// mostWords is how many words are remembered.
const mostWords = 4096

func (l *lines) time(s string) (time.Time, error) {
	if t, ok := l.times[s]; ok {
		return t, nil
	}
	t, err := parseTime(s)
	if err == nil && len(l.times) < mostWords {
		l.times[s] = t
	}
	return t, err
}

func (l *lines) tag(b []byte) (string, error) {
	if s, ok := l.tags[string(b)]; ok {
		return s, nil
	}
	s, err := parseTags(string(b))
	if err == nil && len(l.tags) < mostWords && len(b) < 1024 {
		l.tags[string(b)] = s
	}
	return s, err
}

func isCurrency(s string) bool {
	if len(s) != 3 {
		return false
	}
	for _, r := range s {
		if r < 'A' || r > 'Z' {
			return false
		}
	}
	return true
}
