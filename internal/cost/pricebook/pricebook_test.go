package pricebook

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/shopspring/decimal"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

var (
	old   = Source{"old list", "2023-02"}
	newer = Source{"newer list", "2026-07-20"}
)

func bookOf(t *testing.T, fill func(w *Writer)) *Book {
	t.Helper()
	w := NewWriter("USD", newer, old)
	fill(w)
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	book, err := Open(b.String())
	if err != nil {
		t.Fatal(err)
	}
	return book
}

func add(t *testing.T, w *Writer, cloud, service, region, sku, amount, unit string, s Source) {
	t.Helper()
	if err := w.Add(Key{cloud, service, region, sku}, dec(amount), unit, s); err != nil {
		t.Fatal(err)
	}
}

func TestRoundTrip(t *testing.T) {
	const n = 1000
	book := bookOf(t, func(w *Writer) {
		for i := range n {
			add(t, w, "aws", "ec2", "us-east-1", fmt.Sprintf("m%d.large", i), fmt.Sprintf("0.%05d", i+1), "hour", newer)
		}
		add(t, w, "aws", "ec2", "us-east-1", "volume", "0.08", "GB-month", newer)
		add(t, w, "aws", "ec2", "us-east-1", "m1.large", "99", "hour", old)     // found second, never
		add(t, w, "aws", "ec2", "us-east-1", "retired.large", "7", "hour", old) // only here
	})
	for i := range n {
		p, ok, err := book.Lookup(Key{"aws", "ec2", "us-east-1", fmt.Sprintf("m%d.large", i)})
		if want := dec(fmt.Sprintf("0.%05d", i+1)); err != nil || !ok || !p.Amount.Equal(want) || p.Unit != "hour" || p.Source != newer {
			t.Fatalf("m%d.large = %+v, %v, %v; want %s an hour", i, p, ok, err, want)
		}
	}
	if p, ok, _ := book.Lookup(Key{"aws", "ec2", "us-east-1", "volume"}); !ok || p.Unit != "GB-month" || p.Amount.String() != "0.08" {
		t.Errorf("volume = %+v, %v", p, ok)
	}
	if p, ok, _ := book.Lookup(Key{"aws", "ec2", "us-east-1", "retired.large"}); !ok || p.Source != old {
		t.Errorf("retired.large = %+v, %v", p, ok)
	}
	for _, k := range []Key{
		{"aws", "ec2", "us-east-1", "m0"}, {"aws", "ec2", "us-east-1", ""}, {"aws", "ec2", "us-east-1", "zzz"},
		{"aws", "ec2", "us-east-1", "m1.large\t99"}, {"aws", "ec2", "eu-west-1", "m1.large"}, {"gcp", "ec2", "us-east-1", "m1.large"},
	} {
		if p, ok, err := book.Lookup(k); ok || err != nil {
			t.Errorf("Lookup(%+v) = %+v, %v, %v; want nothing", k, p, ok, err)
		}
	}
	if got := len(book.Sheets()); got != 2 {
		t.Errorf("%d sheets, want 2", got)
	}
}

func TestSameBytesInAnyOrder(t *testing.T) {
	write := func(order []int) string {
		w := NewWriter("USD", newer, old)
		for _, i := range order {
			add(t, w, "gcp", "disk", fmt.Sprintf("r%d", i%3), fmt.Sprintf("s%d", i), "1.5", []string{"hour", "month"}[i%2], []Source{old, newer}[i%2])
		}
		var b bytes.Buffer
		if _, err := w.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if write([]int{0, 1, 2, 3, 4, 5}) != write([]int{5, 3, 1, 0, 2, 4}) {
		t.Error("the order of adding shows in the bytes")
	}
}

func TestAddRefuses(t *testing.T) {
	good := Key{"aws", "ec2", "us-east-1", "m5.large"}
	for name, add := range map[string]func(w *Writer) error{
		"zero":      func(w *Writer) error { return w.Add(good, dec("0"), "hour", old) },
		"negative":  func(w *Writer) error { return w.Add(good, dec("-1"), "hour", old) },
		"no unit":   func(w *Writer) error { return w.Add(good, dec("1"), "", old) },
		"no source": func(w *Writer) error { return w.Add(good, dec("1"), "hour", Source{"other", "2026"}) },
		"no date":   func(w *Writer) error { return w.Add(good, dec("1"), "hour", Source{Name: "x"}) },
		"tab":       func(w *Writer) error { return w.Add(Key{"a", "b", "c", "d\te"}, dec("1"), "hour", old) },
		"two answers": func(w *Writer) error {
			_ = w.Add(good, dec("1"), "hour", old)
			return w.Add(good, dec("2"), "hour", old)
		},
	} {
		if add(NewWriter("USD", newer, old)) == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestDamagedBook(t *testing.T) {
	w := NewWriter("USD", newer, old)
	add(t, w, "aws", "ec2", "us-east-1", "m5.large", "0.096", "hour", old)
	var b bytes.Buffer
	if _, err := w.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	whole := b.String()
	for i := range len(whole) {
		book, err := Open(whole[:i])
		if err != nil {
			continue
		}
		if _, ok, err := book.Lookup(Key{"aws", "ec2", "us-east-1", "m5.large"}); ok && err == nil {
			t.Errorf("a book cut at byte %d of %d answers", i, len(whole))
		}
	}
	if _, err := Open(strings.Replace(whole, "PRICES1", "PRICES2", 1)); err == nil {
		t.Error("a book of another version was opened")
	}
}

func TestConcurrentLookup(t *testing.T) {
	book := bookOf(t, func(w *Writer) {
		for i := range 200 {
			add(t, w, "aws", "ec2", fmt.Sprintf("r%d", i%5), fmt.Sprintf("t%d", i), "1", "hour", old)
		}
	})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				if _, ok, err := book.Lookup(Key{"aws", "ec2", fmt.Sprintf("r%d", i%5), fmt.Sprintf("t%d", i)}); !ok || err != nil {
					t.Errorf("t%d: %v, %v", i, ok, err)
				}
			}
		})
	}
	wg.Wait()
}
