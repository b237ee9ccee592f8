package prices

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
	"github.com/tidelock/tidelock/internal/redact"
)

// page returns a fixture with NEXT filled in.
func page(t testing.TB, name, next string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return []byte(strings.Replace(string(data), "NEXT", next, 1))
}

func TestAzurePages(t *testing.T) {
	var h *httptest.Server
	asked, waits := 0, []time.Duration{}
	h = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		switch {
		case asked == 1 || asked == 3:
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		case asked == 2:
			w.WriteHeader(http.StatusBadGateway)
		case r.URL.Query().Get("$skip") == "":
			_, _ = w.Write(page(t, "azure_1.json", h.URL+"/prices?$skip=11"))
		default:
			_, _ = w.Write(page(t, "azure_2.json", ""))
		}
	}))
	defer h.Close()
	o := options()
	o.Pause = func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }
	r, err := Read(t.Context(), List{Cloud: Azure, URL: h.URL + "/prices?$filter=serviceName"}, o)
	if err != nil {
		t.Fatal(err)
	}
	wantLines(t, r.Result,
		"Azure App Service: westeurope app-service linux/b1 0.017/hour",
		"Azure App Service: westeurope app-service windows/p1v2 0.2/hour",
		"Azure Database for PostgreSQL: westeurope postgresql-flexible b_standard_b1ms 0.0199/hour",
		"Azure Database for PostgreSQL: westeurope postgresql-flexible storage 0.1369/GB-month",
		"Azure Firewall: westeurope network firewall-standard 1.25/hour",
		"Container Registry: westeurope container-registry basic 0.1/day",
		"Storage: westeurope disk p10/lrs 21.68/month",
		"Virtual Machines: westeurope vm-linux standard_b2s 0.048/hour", // the later of two
		"Virtual Machines: westeurope vm-linux standard_d2s_v3 0.12/hour",
		"Virtual Machines: westeurope vm-windows standard_d2s_v3 0.212/hour",
		"Virtual Network: westeurope network ip-static-regional 0.005/hour")
	wantTold(t, r.Result, map[string]int{whySpot: 2, whyReserved: 1, whyDevTest: 1, whyZero: 1, whyCurrency: 1, whyDedicated: 1, whyUnmapped: 2})
	if r.Pages != 2 || r.Seen != 21 || r.AsOf != "2026-11-23" || r.Parts[0].Whole {
		t.Errorf("%d pages, %d seen, as of %s, whole %v", r.Pages, r.Seen, r.AsOf, r.Parts[0].Whole)
	}
	if want := []time.Duration{7 * time.Second, 2 * time.Second, 7 * time.Second}; fmt.Sprint(waits) != fmt.Sprint(want) {
		t.Errorf("waited %v, want %v", waits, want)
	}
	if !strings.HasSuffix(r.Source, "/prices?$filter=serviceName") {
		t.Errorf("source %s", r.Source)
	}
}

// A server that stays busy, asks for too long a pause, sends elsewhere or in a
// circle, or breaks off on a later page.
func TestPagesThatDoNotEnd(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, self string, asked int)
		kind   errs.Kind
		want   string
		asked  int
	}{
		"busy": {func(w http.ResponseWriter, _ string, _ int) { w.WriteHeader(http.StatusServiceUnavailable) }, errs.Unavailable, "6 times", maxTries},
		"tomorrow": {func(w http.ResponseWriter, _ string, _ int) {
			w.Header().Set("Retry-After", "86400")
			w.WriteHeader(429)
		}, errs.Unavailable, "1 times", 1},
		"forbidden": {func(w http.ResponseWriter, _ string, _ int) { w.WriteHeader(http.StatusForbidden) }, errs.Unavailable, "answered 403", 1},
		"elsewhere": {func(w http.ResponseWriter, _ string, _ int) {
			fmt.Fprint(w, `{"Items":[],"NextPageLink":"http://127.0.0.1:1/x"}`)
		}, errs.Invalid, "another host", 1},
		"circle": {func(w http.ResponseWriter, self string, _ int) {
			fmt.Fprintf(w, `{"Items":[],"NextPageLink":%q}`, self+"/again")
		}, errs.Invalid, "circle", 2},
		"second page": {func(w http.ResponseWriter, self string, asked int) {
			if asked == 1 {
				fmt.Fprintf(w, `{"Items":[],"NextPageLink":%q}`, self+"/2")
			} else {
				fmt.Fprint(w, `{"Items":[`)
			}
		}, errs.Invalid, "page 2, line 1, byte 10", 2},
	} {
		t.Run(name, func(t *testing.T) {
			var h *httptest.Server
			asked := 0
			h = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				c.answer(w, h.URL, asked)
			}))
			defer h.Close()
			o := options()
			o.Pause = func(context.Context, time.Duration) error { return nil }
			_, err := Read(t.Context(), List{Cloud: Azure, URL: h.URL + "/prices"}, o)
			if !errs.Is(err, c.kind) || !strings.Contains(err.Error(), c.want) || asked != c.asked {
				t.Errorf("asked %d times: %v", asked, err)
			}
		})
	}
}

// TestFault_PriceListThatFallsSilent: a host that sends the beginning and then
// nothing is given up, and does not hold the lists after it.
func TestFault_PriceListThatFallsSilent(t *testing.T) {
	left := make(chan struct{})
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"Items":[`))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(left)
	}))
	defer h.Close()
	o := options()
	o.stall = 20 * time.Millisecond
	_, err := Read(t.Context(), List{Cloud: Azure, URL: h.URL + "/prices"}, o)
	if !errs.Is(err, errs.Unavailable) || !strings.Contains(errs.Sentence(err), "stopped coming at byte ") {
		t.Errorf("%v", err)
	}
	<-left
}

func TestGooglePages(t *testing.T) {
	var keys []string
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		keys = append(keys, r.Header.Get("X-Goog-Api-Key"))
		name := "gcp_1.json"
		if r.URL.Query().Get("pageToken") == "page-2" {
			name = "gcp_2.json"
		}
		if r.URL.Query().Get("currencyCode") != "USD" {
			w.WriteHeader(http.StatusBadRequest)
		}
		_, _ = w.Write(page(t, name, ""))
	}))
	defer h.Close()
	o := options()
	o.Key = redact.NewSecret("the-key")
	r, err := Read(t.Context(), List{Cloud: GCP, URL: h.URL + "/v1/services/X/skus?currencyCode=USD", Whole: true}, o)
	if err != nil {
		t.Fatal(err)
	}
	got := lines(r.Result)
	for _, want := range []string{
		"Compute Engine: europe-west1 compute e2-medium 0.03685575/hour",    // 1 × 0.02399235 + 4 × 0.00321585
		"Compute Engine: europe-west1 compute e2-micro 0.0092139375/hour",   // 0.25 × 0.02399235 + 1 × 0.00321585
		"Compute Engine: europe-west1 compute e2-standard-32 1.179384/hour", // 32 × 0.02399235 + 128 × 0.00321585
		"Compute Engine: europe-west1 disk pd-ssd 0.17/GB-month",
		"Compute Engine: europe-west1 disk pd-ssd/regional 0.34/GB-month",
		"Compute Engine: europe-west1 network ip-unused 0.01/hour", // behind an allowance
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if len(r.Parts) != 1 || r.Taken != 3+14+3 {
		t.Errorf("%d parts, %d taken:\n%s", len(r.Parts), r.Taken, got)
	}
	// europe-west4 has E2's cores and not its memory, europe-west1 the same of N2.
	wantTold(t, r.Result, map[string]int{whySpot: 1, whyReserved: 1, whyDedicated: 1, whyUnmapped: 1, whyCurrency: 1, whyUnit: 1, whyPart: 2})
	if fmt.Sprint(keys) != "[the-key the-key]" {
		t.Errorf("keys %v", keys)
	}
}

// The key goes to the host that it is meant for, and nowhere else.
func TestThreat_PriceListRedirectTakesNoKey(t *testing.T) {
	reached := false
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer other.Close()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusFound)
	}))
	defer h.Close()
	o := options()
	o.Key, o.Client = redact.NewSecret("the-key"), &http.Client{}
	o.Pause = func(context.Context, time.Duration) error { return nil }
	_, err := Read(t.Context(), List{Cloud: GCP, URL: h.URL + "/skus?key=in-the-address"}, o)
	if err == nil || reached || strings.Contains(err.Error(), "in-the-address") {
		t.Errorf("reached %v, %v", reached, err)
	}
}

// A page must not lead the server to an address inside its own network.
func TestThreat_PriceListAtAPrivateAddress(t *testing.T) {
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://169.254.169.254/latest/meta-data/", http.StatusFound)
	}))
	defer h.Close()
	_, err := Read(t.Context(), List{Cloud: AWS, URL: h.URL}, options())
	if !errs.Is(err, errs.Forbidden) || !strings.Contains(err.Error(), "no public address") {
		t.Errorf("%v", err)
	}
}

func TestLists(t *testing.T) {
	l, err := Lists(Query{Cloud: AWS, Offers: []string{"amazonec2"}, Regions: []string{"EU-west-1", "us-east-1"}})
	if err != nil || len(l) != 2 || l[0].URL != "https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonEC2/current/eu-west-1/index.json" || !l[0].Whole {
		t.Errorf("%+v, %v", l, err)
	}
	l, err = Lists(Query{Cloud: Azure, Offers: []string{"Virtual Machines"}, Regions: []string{"westeurope"}})
	if err != nil || len(l) != 1 || !strings.HasSuffix(l[0].Name(), "?$filter=priceType eq 'Consumption' and serviceName eq 'Virtual Machines' and armRegionName eq 'westeurope'") {
		t.Errorf("%+v, %v", l, err)
	}
	if l, err = Lists(Query{Cloud: GCP}); err != nil || len(l) != len(googleServices) {
		t.Errorf("%+v, %v", l, err)
	}
	l, err = Lists(Query{Cloud: Azure, Base: "https://mirror.example.com/azure/", Offers: []string{"Storage"}, Currency: "EUR"})
	if err != nil || len(l) != 1 || !strings.HasPrefix(l[0].URL, "https://mirror.example.com/azure/api/retail/prices?") || !strings.Contains(l[0].URL, "currencyCode=EUR") || l[0].Currency != "EUR" {
		t.Errorf("%+v, %v", l, err)
	}
	region := []string{"eu-west-1"}
	for _, bad := range []Query{
		{Cloud: AWS}, {Cloud: AWS, Offers: []string{"AmazonBraket"}, Regions: region}, {Cloud: Azure, Regions: []string{"x' or 1 eq 1"}}, {Cloud: AWS, Regions: []string{"../.."}},
		{Cloud: AWS, Regions: region, Currency: "EUR"}, {Cloud: Azure, Currency: "EUR' or 1"}, {Cloud: Azure, Currency: "eur"},
		{Cloud: AWS, Regions: region, Base: "http://mirror.example.com"}, {Cloud: AWS, Regions: region, Base: "https://a:b@c.example.com"}, {Cloud: AWS, Regions: region, Base: "file:///etc"},
	} {
		if l, err := Lists(bad); !errs.Is(err, errs.Invalid) {
			t.Errorf("%+v: %v, %v", bad, l, err)
		}
	}
}
