package prices

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidelock/tidelock/internal/errs"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func options() Options { return Options{Now: func() time.Time { return noon }} }

// readFile reads a fixture as one of its cloud's lists.
func readFile(t *testing.T, cloud, name string, o Options) Reading {
	t.Helper()
	r, err := Read(t.Context(), List{Cloud: cloud, File: filepath.Join("testdata", name), Whole: cloud == AWS}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text)) // a bytes.Buffer takes everything
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGzip(t *testing.T) {
	plain, err := os.ReadFile("testdata/aws_ec2.csv")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "list.csv.gz")
	if err := os.WriteFile(file, []byte(gzipped(t, string(plain))), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Read(t.Context(), List{Cloud: AWS, File: file}, options())
	if err != nil || lines(r.Result) != lines(readFile(t, AWS, "aws_ec2.csv", options()).Result) {
		t.Errorf("%s, %v", lines(r.Result), err)
	}
}

// lines writes prices for comparison: region service sku amount/unit.
func lines(r Result) string {
	var all []string
	for _, p := range r.Parts {
		for _, price := range p.Prices {
			all = append(all, fmt.Sprintf("%s: %s %s %s %s/%s", p.Offer, p.Region, price.Key.Service, price.Key.SKU, price.Amount, price.Unit))
		}
	}
	return strings.Join(all, "\n")
}

// told writes what was left, why and how often.
func told(r Result) map[string]int {
	all := map[string]int{}
	for _, t := range r.Told {
		all[t.Why] += t.Count
	}
	return all
}

func wantLines(t *testing.T, r Result, want ...string) {
	t.Helper()
	if got := lines(r); got != strings.Join(want, "\n") {
		t.Errorf("taken:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

func wantTold(t *testing.T, r Result, want map[string]int) {
	t.Helper()
	got := told(r)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("left: %v\nwant: %v", got, want)
	}
}

func TestAWSJSON(t *testing.T) {
	r := readFile(t, AWS, "aws_ec2.json", options())
	wantLines(t, r.Result,
		"AmazonEC2: eu-west-1 ebs gp3 0.088/GB-month",
		"AmazonEC2: eu-west-1 ebs gp3-throughput 0.044/MBps-month", // 45.056 / 1024
		"AmazonEC2: eu-west-1 ec2-linux m5.large 0.107/hour",
		"AmazonEC2: eu-west-1 ec2-linux m5.metal 5.136/hour",
		"AmazonEC2: eu-west-1 ec2-rhel m5.large 0.1358/hour",
		"AmazonEC2: eu-west-1 ec2-windows m5.large 0.199/hour",
		"AmazonEC2: eu-west-1 vpc nat-gateway 0.048/hour",
		"AmazonEC2: us-west-2-lax-1 ec2-linux t3.medium 0.04992/hour")
	wantTold(t, r.Result, map[string]int{
		whyDedicated: 2, whyIdle: 1, whySoftware: 2, whyZero: 1, whyCurrency: 1, whyUnmapped: 1, whyFuture: 1, whyDoubt: 1, whyRegion: 1, whyReserved: 2,
	})
	if r.AsOf != "2026-11-01" || r.Seen != 20 || r.Taken != 8 || len(r.SHA256) != 64 || !r.Parts[0].Whole {
		t.Errorf("as of %s, %d seen, %d taken, sha256 %s", r.AsOf, r.Seen, r.Taken, r.SHA256)
	}
}

func TestAWSDatabases(t *testing.T) {
	r := readFile(t, AWS, "aws_rds.json", options())
	wantLines(t, r.Result,
		"AmazonRDS: eu-west-1 rds-aurora-postgresql db.r5.large/single-az 0.32/hour",
		"AmazonRDS: eu-west-1 rds-mysql db.t3.micro/single-az 0.018/hour",
		"AmazonRDS: eu-west-1 rds-postgres db.m5.large/multi-az 0.396/hour",
		"AmazonRDS: eu-west-1 rds-postgres db.m5.large/single-az 0.198/hour",
		"AmazonRDS: eu-west-1 rds-sqlserver-se db.m5.large/single-az 1.048/hour",
		"AmazonRDS: eu-west-1 rds-storage gp3/single-az 0.127/GB-month")
	wantTold(t, r.Result, map[string]int{whySoftware: 1, whyUnmapped: 3})
}

func TestAWSCSV(t *testing.T) {
	r := readFile(t, AWS, "aws_ec2.csv", options())
	wantLines(t, r.Result,
		"AmazonEC2: eu-west-3 ebs gp2 0.116/GB-month",
		"AmazonEC2: eu-west-3 ebs st1 0.053/GB-month",
		"AmazonEC2: eu-west-3 ebs standard-io 0.000000058/request",
		"AmazonEC2: eu-west-3 ec2-linux m5.large 0.112/hour")
	wantTold(t, r.Result, map[string]int{whyReserved: 1, whyDedicated: 1, whyRegion: 1})
	if r.AsOf != "2026-11-02" {
		t.Errorf("as of %s", r.AsOf)
	}
}

func TestOnlyWhatIsAskedFor(t *testing.T) {
	o := options()
	o.Regions = []string{"us-west-2-LAX-1"}
	r := readFile(t, AWS, "aws_ec2.json", o)
	wantLines(t, r.Result, "AmazonEC2: us-west-2-lax-1 ec2-linux t3.medium 0.04992/hour")
	if told(r.Result)[whyFiltered] != 10 {
		t.Errorf("left: %v", told(r.Result))
	}
}

// A usage type is known whatever region stands before it, and what only looks
// like a region is not cut off.
func TestAWSUsageTypes(t *testing.T) {
	for _, c := range []struct{ offer, family, region, usage, want string }{
		{"AmazonEC2", "Storage", "eu-west-1", "EU-EBS:VolumeUsage.piops", "ebs io1"},
		{"AmazonEC2", "Storage", "us-east-1", "EBS:VolumeUsage.piops", "ebs io1"},
		{"AmazonEC2", "Storage", "us-west-2", "USW2-EBS:VolumeUsage.piops", "ebs io1"},
		{"AmazonEC2", "Storage", "us-west-2-lax-1", "LAX1-EBS:VolumeUsage.gp2", "ebs gp2"},
		{"AmazonEC2", "Storage", "us-west-2", "USW2-EBS:VolumeUsage.gp9", ""},
		{"AWSELB", "Load Balancer-Application", "ca-central-1", "CAN1-LoadBalancerUsage", "elb application"},
		{"AWSELB", "Load Balancer-Application", "ca-central-1", "CAN1-TS-LoadBalancerUsage", ""},
		{"AWSELB", "Load Balancer-Application", "us-east-1", "LoadBalancerUsage", "elb application"},
		{"AWSELB", "Load Balancer-Application", "us-east-1", "TS-LoadBalancerUsage", ""},
		{"AmazonVPC", "Cloud Connectivity", "us-east-1", "VPN-Usage-Hours:ipsec.1", "vpc vpn-connection"},
		{"AmazonVPC", "Cloud Connectivity", "eu-west-1", "EU-VPN-Usage-Hours:ipsec.1", "vpc vpn-connection"},
		{"AmazonVPC", "", "us-east-1", "USE1-PublicIPv4:InUseAddress", "vpc public-ipv4"},
		{"AmazonVPC", "", "us-east-1", "USE1-PublicIPv4:IdleAddress", ""},
		{"AmazonEKS", "Compute", "eu-west-1", "EUW1-AmazonEKS-Hours:perCluster", "eks cluster"},
		{"AmazonES", "Elastic Search Volume", "eu-west-1", "EU-ES:GP2-Storage", "opensearch-storage gp2"},
	} {
		to, why := awsPlace(c.offer, &awsProduct{family: c.family, usage: c.usage, region: c.region, locationType: "AWS Region"})
		if (why == "") != (c.want != "") || why == "" && to.service+" "+to.sku != c.want {
			t.Errorf("%+v: %s %s (%s)", c, to.service, to.sku, why)
		}
	}
}

// What is malformed is refused with its place.
func TestBadLists(t *testing.T) {
	good, err := os.ReadFile("testdata/aws_ec2.json")
	if err != nil {
		t.Fatal(err)
	}
	goodCSV, err := os.ReadFile("testdata/aws_ec2.csv")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ cloud, text, want string }{
		"empty":             {AWS, "", "line 1, byte 1: it ends in the middle"},
		"not JSON":          {AWS, "{\n\"offerCode\": AmazonEC2}", "line 2, byte 16"},
		"another JSON":      {AWS, `{"hello": "world"}`, "no offer file of AWS's price list"},
		"cut":               {AWS, string(good[:len(good)/2]), "it ends in the middle"},
		"more after it":     {AWS, string(good) + "{}", "after the end"},
		"bad price":         {AWS, strings.Replace(string(good), `"USD": "0.1070000000"`, `"USD": "cheap"`, 1), `"cheap" is no price`},
		"negative":          {AWS, strings.Replace(string(good), `"USD": "0.1070000000"`, `"USD": "-1"`, 1), "is negative"},
		"huge":              {AWS, strings.Replace(string(good), `"USD": "0.1070000000"`, `"USD": "1e9999999"`, 1), "is no price"},
		"terms first":       {AWS, `{"offerCode":"AmazonEC2","terms":{},"products":{}}`, "products must come before terms"},
		"deep":              {AWS, `{"x":` + strings.Repeat("[", 1000), "stand in one another"},
		"long string":       {AWS, `{"offerCode":"` + strings.Repeat("x", maxText+1) + `"}`, "a string or number of more than"},
		"CSV without head":  {AWS, "\"FormatVersion\",\"v1.0\"\n", "it has no head"},
		"CSV, other head":   {AWS, "\"OfferCode\",\"AmazonEC2\"\n\"a\",\"b\",\"c\"\n", "line 2: the head lacks"},
		"CSV, open quote":   {AWS, string(goodCSV) + "\"x", "line 14"},
		"CSV, short row":    {AWS, string(goodCSV) + "\"x\"\n", "line 14: a row of 1 columns under a head of 26"},
		"CSV, bad price":    {AWS, strings.Replace(string(goodCSV), `"0.1160000000"`, `"free"`, 1), "line 8: \"free\" is no price"},
		"CSV, endless row":  {AWS, string(goodCSV) + "\"" + strings.Repeat("x", maxRow+10000), "a quote is not closed"},
		"Azure, another":    {Azure, `{"value":[]}`, "no answer of Azure's Retail Prices API"},
		"Azure, bad price":  {Azure, `{"Items":[{"currencyCode":"USD","type":"Consumption","serviceName":"Virtual Machines","armSkuName":"Standard_B1s","unitOfMeasure":"1 Hour","armRegionName":"eastus","retailPrice":"x"}]}`, `"x" is no price`},
		"Azure, not a list": {Azure, `{"Items":{}}`, "where a list belongs"},
		"Google, another":   {GCP, `{}`, "no answer of Google's Cloud Billing Catalog"},
		"gzip, damaged":     {GCP, gzipped(t, `{"skus":[]}`)[:24], "damaged or cut short"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "list")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := Read(t.Context(), List{Cloud: c.cloud, File: file}, options())
			if !errs.Is(err, errs.Invalid) || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
				t.Errorf("%v, %v, want %q", lines(r.Result), err, c.want)
			}
		})
	}
	if _, err := Read(t.Context(), List{Cloud: AWS, File: filepath.Join(t.TempDir(), "none")}, options()); !errs.Is(err, errs.NotFound) {
		t.Errorf("a file that isn't there: %v", err)
	}
}

func TestAWSFromAnAddress(t *testing.T) {
	h := httptest.NewServer(http.FileServer(http.Dir("testdata")))
	defer h.Close()
	r, err := Read(t.Context(), List{Cloud: AWS, URL: h.URL + "/aws_ec2.json?token=secret", Whole: true}, options())
	if err != nil {
		t.Fatal(err)
	}
	if same := readFile(t, AWS, "aws_ec2.json", options()); r.SHA256 != same.SHA256 || lines(r.Result) != lines(same.Result) {
		t.Error("the address gives something else than the file")
	}
	if strings.Contains(r.Source, "secret") {
		t.Errorf("the source shows the query: %s", r.Source)
	}
	if _, err := Read(t.Context(), List{Cloud: AWS, URL: h.URL + "/none"}, options()); !errs.Is(err, errs.Unavailable) {
		t.Errorf("404: %v", err)
	}
	if _, err := Read(t.Context(), List{Cloud: AWS, URL: "http://prices.example.com/x"}, options()); !errs.Is(err, errs.Invalid) {
		t.Errorf("without TLS: %v", err)
	}
}
