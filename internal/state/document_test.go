package state

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/tidelock/tidelock/internal/errs"
)

func scanBy(text string, n int) (Document, error) {
	s := newScanner()
	for rest := text; rest != ""; {
		part := rest[:min(n, len(rest))]
		if _, err := s.Write([]byte(part)); err != nil {
			return Document{}, err
		}
		rest = rest[len(part):]
	}
	return s.finish()
}

func TestDocumentOfStates(t *testing.T) {
	text := `{"version":4,"terraform_version":"1.11.4","serial":17,"lineage":"a-b","outputs":{"resources":[1,2],"serial":{"value":3}},` +
		`"resources":[{"mode":"managed","type":"x","instances":[{"attributes":{"instances":[1,2,3],"resources":["a"]}},{"index_key":1}]},` +
		`{"mode":"data","instances":[]},{"instances":[{}],"each":"map"}],"check_results":null}`
	for n := 1; n <= len(text); n++ {
		d, err := scanBy(text, n)
		if err != nil {
			t.Fatal(n, err)
		}
		if d.Version != 4 || d.Serial != 17 || d.Lineage != "a-b" || d.TerraformVersion != "1.11.4" || d.Resources != 3 || d.Instances != 3 || d.Encrypted {
			t.Fatalf("by %d: %+v", n, d)
		}
		if text[d.serialFrom:d.serialTo] != "17" {
			t.Fatalf("the serial is not at %d to %d", d.serialFrom, d.serialTo)
		}
	}
	d, err := scanBy(`{"serial":3,"lineage":"l","meta":{"key":"x"},"encrypted_data":"`+strings.Repeat("QUJD", 1<<16)+`","encryption_version":"v0"}`, 4096)
	if err != nil || !d.Encrypted || d.Serial != 3 || d.Lineage != "l" || d.Version != 0 {
		t.Errorf("encrypted: %+v, %v", d, err)
	}
}

func TestWhatIsNoState(t *testing.T) {
	for name, text := range map[string]string{
		"nothing": "", "a word": "state", "HTML": "<html>", "a list": `[{"serial":1}]`, "a string": `"x"`, "null": "null",
		"no serial": `{"version":4,"lineage":"x"}`, "no version": `{"serial":4}`, "empty object": `{}`,
		"cut": `{"version":4,"serial":1,"resources":[{"a":"b`, "cut behind a value": `{"version":4,"serial":1`,
		"more behind": `{"version":4,"serial":1} {}`, "trailing comma": `{"version":4,"serial":1,}`, "two commas": `{"version":4,,"serial":1}`,
		"serial text": `{"version":4,"serial":"1"}`, "serial negative": `{"version":4,"serial":-1}`, "serial fraction": `{"version":4,"serial":1.5}`,
		"serial large": `{"version":4,"serial":99999999999999999999}`, "serial null": `{"version":4,"serial":null}`, "serial object": `{"version":4,"serial":{}}`,
		"serial twice": `{"version":4,"serial":1,"serial":2}`, "serial in capitals too": `{"version":4,"serial":1,"SERIAL":2}`,
		"serial twice by escapes": `{"version":4,"serial":1,"seri\u0061l":2}`,
		"lineage number":          `{"version":4,"serial":1,"lineage":5}`, "lineage endless": `{"version":4,"serial":1,"lineage":"` + strings.Repeat("x", 5000) + `"}`,
		"key endless": `{"version":4,"serial":1,"` + strings.Repeat("x", 5000) + `":1}`, "deep": `{"version":4,"serial":1,"a":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`,
	} {
		for _, n := range []int{1, 3, 1 << 20} {
			if d, err := scanBy(text, n); !errs.Is(err, errs.Invalid) {
				t.Errorf("%s by %d: %+v, %v", name, n, d, err)
			}
		}
	}
}

// What the scanner takes is what encoding/json takes, and it reads the same in
// it, however it is cut.
func FuzzDocument(f *testing.F) {
	for _, text := range []string{
		`{"version":4,"serial":1,"lineage":"x","resources":[{"instances":[{},{}]}]}`, `{"serial":0,"encrypted_data":""}`,
		`{"version":4,"serial":1,"a":[-0,0.5,1e9,-1.2E-3,true,false,null,"\u00e9\n\"",{"b":[]}]}`, `{"version":04,"serial":1}`, `{"a":"\x"}`, "{\"a\":\"\x01\"}", `{"version":1e0,"serial":1}`,
	} {
		f.Add([]byte(text), uint8(3))
	}
	f.Fuzz(func(t *testing.T, text []byte, n uint8) {
		d, err := scanBy(string(text), int(n)+1)
		if other, oerr := scanBy(string(text), 1<<20); d != other || (err == nil) != (oerr == nil) {
			t.Fatalf("cut by %d: %v, %v; whole: %v, %v", n, d, err, other, oerr)
		}
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("encoding/json does not take %q", text)
		}
		var want struct {
			Version          int
			Serial           int64
			Lineage          string
			TerraformVersion string `json:"terraform_version"`
		}
		if err := json.Unmarshal(text, &want); err != nil {
			return // a list of resources that is none, and the like: Terraform's to refuse
		}
		if want.Serial != d.Serial || want.Lineage != d.Lineage || want.TerraformVersion != d.TerraformVersion || want.Version != d.Version {
			t.Fatalf("%q: %+v, not %+v", text, d, want)
		}
	})
}

// Inside an instance, where the scanner only skims, it takes what
// encoding/json takes and nothing else, however it is cut.
func FuzzInsides(f *testing.F) {
	for _, text := range []string{
		`{"a":"b","c":[1,-2.5e+3,0,10,true,false,null,{}],"d":{"e":[]}}`, "[ 1 ,\n        \t  2 ]", `"a\"b\\\/\u00e9\n and then some more of it"`, `{"a":1,}`, `[1,]`, `[01]`, `[1 2]`, `{"a" 1}`, `{"a":1]`, `[1}`, `{1:2}`,
		`"\x"`, "\"0123456\x01\"", "\"0123456789\x7f\xff\"", `tru`, `[truex]`, `[nul]`, `-`, `[1.]`, `[1e]`, `[-]`, `["a]`, `{"a"`, `,`, `]`, `}`, `[[[[[[[[]]]]]]]]`, `"\ud800"`, `"\`,
	} {
		f.Add(text, uint8(5))
	}
	f.Fuzz(func(t *testing.T, inside string, n uint8) {
		if strings.Count(inside, "[")+strings.Count(inside, "{") > maxDepth-10 {
			return
		}
		text := `{"version":4,"serial":1,"resources":[{"instances":[{"attributes":` + inside + `}]},{"instances":[{}]}]}`
		want := json.Valid([]byte(text))
		for _, n := range []int{int(n) + 1, len(text)} {
			d, err := scanBy(text, n)
			if (err == nil) != want {
				t.Fatalf("%q, cut by %d: %v", text, n, err)
			}
			if json.Valid([]byte(inside)) && (d.Resources != 2 || d.Instances != 2) {
				t.Fatalf("%q, cut by %d: %+v", text, n, d)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	var text strings.Builder
	text.WriteString(`{"version":4,"serial":17,"resources":[`)
	for i := range 2000 {
		if i > 0 {
			text.WriteString(",")
		}
		fmt.Fprintf(&text, "\n      {\n        \"mode\": \"managed\",\n        \"type\": \"aws_instance\",\n        \"instances\": [{\"attributes\": {\"id\": \"i-%016x\", \"arn\": \"arn:aws:ec2:eu-west-1:123456789012:instance/i-%016x\", \"n\": %d, \"ebs\": [{\"iops\": 0, \"encrypted\": true}], \"tags\": {\"Name\": \"web-%d\"}}}]}", i, i, i, i)
	}
	text.WriteString("]}")
	body := []byte(text.String())
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		s := newScanner()
		if _, err := s.Write(body); err != nil {
			b.Fatal(err)
		}
	}
}
