package prices

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/cost/pricebook"
)

// offerFile writes an offer file in the shape of AWS's, of about so many bytes:
// a tenth products and their prices, the rest reservations, as in AmazonEC2's.
// It is made while it is read, and never there as a whole.
func offerFile(size int64, asCSV bool) io.Reader {
	r, w := io.Pipe()
	go func() {
		out := &sized{w: w}
		if asCSV {
			offerCSV(out, size)
		} else {
			offerJSON(out, size)
		}
		_ = w.Close()
	}()
	return r
}

type sized struct {
	w   io.Writer
	n   int64
	buf bytes.Buffer
}

func (s *sized) printf(format string, args ...any) {
	fmt.Fprintf(&s.buf, format, args...)
	if s.buf.Len() > 1<<15 {
		s.flush()
	}
}

func (s *sized) flush() {
	n, _ := s.buf.WriteTo(s.w) // a reader that stopped early has told why
	s.n += n
}

const productText = `{"sku":"%[1]s","productFamily":"Compute Instance","attributes":{"servicecode":"AmazonEC2","location":"EU (Ireland)","locationType":"AWS Region","instanceType":"%[2]s","currentGeneration":"Yes","instanceFamily":"General purpose","vcpu":"2","physicalProcessor":"Intel Xeon Platinum 8175","clockSpeed":"3.1 GHz","memory":"8 GiB","storage":"EBS only","networkPerformance":"Up to 10 Gigabit","processorArchitecture":"64-bit","tenancy":"%[3]s","operatingSystem":"Linux","licenseModel":"No License required","usagetype":"EU-BoxUsage:%[2]s","operation":"RunInstances","capacitystatus":"Used","marketoption":"OnDemand","preInstalledSw":"NA","regionCode":"eu-west-1","servicename":"Amazon Elastic Compute Cloud"}}`

const termText = `{"%[1]s.%[2]s":{"offerTermCode":"%[2]s","sku":"%[1]s","effectiveDate":"2026-10-01T00:00:00Z","priceDimensions":{"%[1]s.%[2]s.6YS6EN2CT7":{"rateCode":"%[1]s.%[2]s.6YS6EN2CT7","description":"$%[3]s per instance hour","beginRange":"0","endRange":"Inf","appliesTo":[],"unit":"Hrs","pricePerUnit":{"USD":"%[3]s"}}},"termAttributes":{"LeaseContractLength":"1yr","OfferingClass":"standard","PurchaseOption":"No Upfront"}}}`

// offerJSON makes as many products as the file may hold: nine of ten dedicated.
func offerJSON(out *sized, size int64) {
	out.printf(`{"formatVersion":"v1.0","offerCode":"AmazonEC2","publicationDate":"2026-11-01T00:00:00Z","products":{`)
	n := 0
	for ; n == 0 || out.n < size/4; n++ {
		tenancy := "Dedicated"
		if n%10 == 0 {
			tenancy = "Shared"
		}
		if n > 0 {
			out.printf(",\n")
		}
		sku := fmt.Sprintf("SKU%013d", n)
		out.printf(`"%s":`+productText, sku, fmt.Sprintf("m%d.large", n/10), tenancy)
	}
	// The first argument of the text is the SKU itself; the name stands before.
	out.printf(`},"terms":{"OnDemand":{`)
	for i := range n {
		if i > 0 {
			out.printf(",\n")
		}
		sku := fmt.Sprintf("SKU%013d", i)
		out.printf(`"%[1]s":`+termText, sku, "JRTCKXETXF", fmt.Sprintf("0.%010d", i+1))
	}
	out.printf(`},"Reserved":{`)
	for i := 0; i == 0 || out.n < size; i++ {
		if i > 0 {
			out.printf(",\n")
		}
		out.printf(`"%[1]s":`+termText, fmt.Sprintf("SKU%013d", i), "4NA7Y494T4", "0.0600000000")
	}
	out.printf(`}},"attributesList":{}}`)
	out.flush()
}

func offerCSV(out *sized, size int64) {
	out.printf("\"FormatVersion\",\"v1.0\"\n\"Publication Date\",\"2026-11-01T00:00:00Z\"\n\"OfferCode\",\"AmazonEC2\"\n")
	out.printf("SKU,TermType,PriceDescription,EffectiveDate,StartingRange,Unit,PricePerUnit,Currency,Product Family,Location,Location Type,Instance Type,Tenancy,Operating System,usageType,CapacityStatus,Pre Installed S/W,Region Code\n")
	for i := 0; i == 0 || out.n < size; i++ {
		kind := "Reserved"
		if i%10 == 0 {
			kind = "OnDemand"
		}
		out.printf("\"SKU%013[1]d\",\"%[2]s\",\"$0.107 per On Demand Linux instance, hour\",\"2026-10-01\",\"0\",\"Hrs\",\"0.%010[4]d\",\"USD\",\"Compute Instance\",\"EU (Ireland)\",\"AWS Region\",\"m%[3]d.large\",\"Shared\",\"Linux\",\"EU-BoxUsage:m%[3]d.large\",\"Used\",\"NA\",\"eu-west-1\"\n",
			i+1, kind, i%9000, i%9000+1)
	}
	out.flush()
}

// peak runs f and returns the most heap that was in use at once, beyond what
// was there before, as a sampler saw it.
func peak(f func()) uint64 {
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, ended := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				ended <- most
				return
			case <-tick.C:
				runtime.ReadMemStats(&now)
				if now.HeapInuse > before.HeapInuse {
					most = max(most, now.HeapInuse-before.HeapInuse)
				}
			}
		}
	}()
	f()
	close(stop)
	return <-ended
}

// readStream reads an offer file that is made on the way.
func readStream(t testing.TB, size int64, asCSV bool) Result {
	s := newSink(AWS, options())
	var err error
	if in := offerFile(size, asCSV); asCSV {
		err = readAWSCSV(in, s, noon)
	} else {
		err = readAWSJSON(in, s, noon)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s.result()
}

// Memory follows what is taken from a list, not its size: 24 MB of list take a
// fraction of that, and of three times as long a CSV as much as of one.
func TestMemoryOfALargeList(t *testing.T) {
	var r Result
	used := peak(func() { r = readStream(t, 24<<20, false) })
	if r.Taken < 500 || used > 12<<20 {
		t.Errorf("%d prices of 24 MB of JSON took %d KB", r.Taken, used>>10)
	}
	used = peak(func() { r = readStream(t, 24<<20, true) })
	if r.Taken < 500 || used > 12<<20 {
		t.Errorf("%d prices of 24 MB of CSV took %d KB", r.Taken, used>>10)
	}
}

// An offer file of 400 MB: how long it takes, and what the process holds. Go's
// own figure for a process is in VmHWM; it contains the test itself.
func BenchmarkOfferFile400MB(b *testing.B) {
	for name, asCSV := range map[string]bool{"json": false, "csv": true} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(400 << 20)
			for b.Loop() {
				var r Result
				used := peak(func() { r = readStream(b, 400<<20, asCSV) })
				b.ReportMetric(float64(used>>20), "heap-MB")
				b.ReportMetric(float64(highWater(b))/1024, "VmHWM-MB")
				b.ReportMetric(float64(r.Taken), "prices")
				if kb := highWater(b); kb > 150<<10 {
					b.Errorf("the process held %d MB; 150 are allowed", kb>>10)
				}
			}
		})
	}
}

// highWater returns the most memory that the process has held, in KB.
func highWater(t testing.TB) int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc")
	}
	for line := range strings.Lines(string(text)) {
		var kb int
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			return kb
		}
	}
	return 0
}

// The readers neither panic nor take without bound, whatever they are given,
// and what they take can be stored.
func FuzzLists(f *testing.F) {
	names, err := filepath.Glob("testdata/*.*")
	if err != nil || len(names) == 0 {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(data) > 4000 { // small ones are mutated faster; their shape is what counts
			f.Add(data[:4000])
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func(s *sink) error{
			func(s *sink) error { return readAWSJSON(bytes.NewReader(data), s, noon) },
			func(s *sink) error { return readAWSCSV(bytes.NewReader(data), s, noon) },
			func(s *sink) error { _, err := readAzure(bytes.NewReader(data), s, noon); return err },
			func(s *sink) error {
				g := &googleList{s: s, parts: map[googlePart]googleParts{}}
				if _, err := g.read(bytes.NewReader(data), noon); err != nil {
					return err
				}
				return g.finish()
			},
		} {
			s := newSink(AWS, options())
			if read(s) != nil {
				continue
			}
			r := s.result()
			from := pricebook.Source{Name: "x", AsOf: "2026-01-01"}
			w := pricebook.NewWriter("USD", from)
			for _, p := range r.Parts {
				for _, price := range p.Prices {
					if err := w.Add(price.Key, price.Amount, price.Unit, from); err != nil && !strings.Contains(err.Error(), "before") {
						t.Errorf("%+v: %v", price, err)
					}
				}
			}
		}
	})
}
