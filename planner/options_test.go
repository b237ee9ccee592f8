package planner

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/errs"
)

func TestParseOptions(t *testing.T) {
	for _, tc := range []struct {
		words []string
		want  Options
		text  string
	}{
		{nil, Options{}, ""},
		{[]string{"-target=aws_a.b", "--target", "module.m"}, Options{Targets: []string{"aws_a.b", "module.m"}}, "-target=aws_a.b -target=module.m"},
		{[]string{`-replace=aws_a.b["k=v"]`}, Options{Replace: []string{`aws_a.b["k=v"]`}}, `"-replace=aws_a.b[\"k=v\"]"`},
		{[]string{"-var", "a=b=c d", "-var=e="}, Options{Vars: []string{"a=b=c d", "e="}}, `"-var=a=b=c d" -var=e=`},
		{[]string{"-refresh=false", "-parallelism", "3"}, Options{NoRefresh: true, Parallelism: 3}, "-refresh=false -parallelism=3"},
		{[]string{"-refresh=false", "-refresh"}, Options{}, ""},
	} {
		got, err := ParseOptions(tc.words)
		if err != nil {
			t.Errorf("%q: %v", tc.words, err)
			continue
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%q:\n%s", tc.words, diff)
		}
		if got.String() != tc.text {
			t.Errorf("%q as text: %s", tc.words, got)
		}
		if again, err := ParseOptions(got.Flags()); err != nil || !cmp.Equal(again, got) {
			t.Errorf("%q read again: %+v, %v", got.Flags(), again, err)
		}
	}
}

func TestParseOptionsRefuses(t *testing.T) {
	many := func(flag string) (out []string) {
		for range maxAddresses + 1 {
			out = append(out, flag)
		}
		return out
	}
	for _, tc := range []struct {
		words []string
		want  string
	}{
		{[]string{"aws_a.b"}, `"aws_a.b" is no flag`},
		{[]string{""}, `"" is no flag`},
		{[]string{"-out=x"}, "The flag -out is not taken. After -- there may stand"},
		{[]string{"---target=aws_a.b"}, "is not taken"},
		{[]string{"-"}, "is not taken"},
		{[]string{"-destroy"}, "is not taken"},
		{[]string{"-refresh-only"}, "is not taken"},
		{[]string{"-state=/etc/passwd"}, "is not taken"},
		{[]string{"-lock=false"}, "is not taken"},
		{[]string{"-var-file=../x"}, "is not taken"},
		{[]string{"-" + strings.Repeat("é", 100)}, "…"},
		{[]string{"-target"}, "-target needs a value"},
		{[]string{"-target="}, "-target needs a value"},
		{[]string{"-target", "-replace=a.b"}, "-target needs a value"},
		{[]string{"-target=a"}, `"a" is none`},
		{[]string{"-target=../a.b"}, "is none"},
		{[]string{"-replace=a.b c.d"}, "is none"},
		{[]string{"-var=a"}, "NAME=VALUE"},
		{[]string{"-var==x"}, "NAME=VALUE"},
		{[]string{"-var=a b=x"}, "NAME=VALUE"},
		{[]string{"-var=a=x\ny"}, "in one line"},
		{[]string{"-var=a=\u202ex"}, "in one line"},
		{[]string{"-var=a=" + strings.Repeat("x", 5000)}, "NAME=VALUE"},
		{[]string{"-refresh=maybe"}, "true or false"},
		{[]string{"-parallelism=0"}, "from 1 to 100"},
		{[]string{"-parallelism=101"}, "from 1 to 100"},
		{[]string{"-parallelism=ten"}, "from 1 to 100"},
		{many("-target=a.b"), "50 times at most"},
		{many("-var=a=b"), "50 times at most"},
	} {
		got, err := ParseOptions(tc.words)
		if !errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), tc.want) {
			t.Errorf("%.60q: error %v, want one with %q", tc.words, err, tc.want)
		}
		if !got.Empty() {
			t.Errorf("%.60q: %+v beside an error", tc.words, got)
		}
	}
}

func TestOptionsThatAlterAPlan(t *testing.T) {
	for _, tc := range []struct {
		o             Options
		empty, alters bool
		problem       string
	}{
		{o: Options{}, empty: true},
		{o: Options{Parallelism: 4}},
		{o: Options{Destroy: true}, alters: true},
		{o: Options{RefreshOnly: true}, alters: true},
		{o: Options{NoRefresh: true, Targets: []string{"a.b"}}, alters: true},
		{o: Options{Vars: []string{"a=b"}, Parallelism: 2}, alters: true},
		{o: Options{RefreshOnly: true, NoRefresh: true}, alters: true, problem: "-refresh=false"},
		{o: Options{RefreshOnly: true, Destroy: true}, alters: true, problem: "only reads"},
		{o: Options{RefreshOnly: true, Replace: []string{"a.b"}}, alters: true, problem: "only reads"},
		{o: Options{Destroy: true, Replace: []string{"a.b"}}, alters: true, problem: "-replace"},
	} {
		if tc.o.Empty() != tc.empty || tc.o.Alters() != tc.alters {
			t.Errorf("%s: empty %v, alters %v", tc.o, tc.o.Empty(), tc.o.Alters())
		}
		err := tc.o.Check()
		if (tc.problem == "") != (err == nil) || err != nil && (!errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), tc.problem)) {
			t.Errorf("%s: %v, want %q", tc.o, err, tc.problem)
		}
	}
}

var addresses = map[string]bool{
	"aws_s3_bucket.a": true, "module.net": true, "module.net.module.sub[0].aws_subnet.a[12]": true, "data.aws_ami.x": true,
	`aws_a.b["k"]`: true, `aws_a.b["a.b/c d"]`: true, `aws_a.b["x\"y"]`: true, `aws_a.b["x\\"]`: true, `module.m["ключ"].a.b`: true, `aws_a.b["]"]`: true,
	"": false, "aws_a": false, ".": false, "a.": false, ".a": false, "a..b": false, "-a.b": false, "a.-b": false, "a.b[": false, "a.b[]": false, "a.b]": false,
	`a.b["]`: false, `a.b["x"`: false, `a.b["x\"]`: false, `a.b["x\\"y"]`: false, "a.b[x]": false, "a.b[-1]": false, "a.b[0][1]": false, "[0].a": false, "a.b[0]c": false,
	"../a.b": false, "a.b/c": false, "a b.c": false, "a.b\n": false, "a.b[\"\n\"]": false, "a.b[\"\u202e\"]": false, "a.b[\"\xff\"]": false, "a.b=c": false, "a.b[0": false,
	"a." + strings.Repeat("b", 500): false,
}

func TestValidAddress(t *testing.T) {
	for a, want := range addresses {
		if ValidAddress(a) != want {
			t.Errorf("%q: %v, want %v", a, !want, want)
		}
	}
}

func TestOperationCheck(t *testing.T) {
	for _, tc := range []struct {
		o    Operation
		want string // "" where it is good
		text string
	}{
		{Operation{Import, []string{"a.b", "vpc-1"}}, "", "import a.b vpc-1"},
		{Operation{Import, []string{`a.b["x"]`, "two words"}}, "", `import "a.b[\"x\"]" "two words"`},
		{Operation{StateRemove, []string{"a.b", "module.m"}}, "", "state rm a.b module.m"},
		{Operation{StateMove, []string{"a.b", "a.c"}}, "", "state mv a.b a.c"},
		{Operation{Import, []string{"a.b"}}, "an address and the object's ID", ""},
		{Operation{Import, []string{"a.b", ""}}, "can't be the ID", ""},
		{Operation{Import, []string{"a.b", "-x"}}, "can't be the ID", ""},
		{Operation{Import, []string{"a.b", "x\ny"}}, "can't be the ID", ""},
		{Operation{Import, []string{"a", "x"}}, `"a" is none`, ""},
		{Operation{StateRemove, nil}, "one to 50 addresses", ""},
		{Operation{StateRemove, []string{"a.b", "../c"}}, `"../c" is none`, ""},
		{Operation{StateMove, []string{"a.b"}}, "two addresses", ""},
		{Operation{"state push", []string{"x"}}, "no operation on a state", ""},
		{Operation{}, "no operation on a state", ""},
	} {
		err := tc.o.Check()
		if (tc.want == "") != (err == nil) || err != nil && (!errs.Is(err, errs.Invalid) || !strings.Contains(errs.Sentence(err), tc.want)) {
			t.Errorf("%s: %v, want %q", tc.o, err, tc.want)
		}
		if tc.want == "" && tc.o.String() != tc.text {
			t.Errorf("as text: %s, want %s", tc.o, tc.text)
		}
	}
}

// FuzzParseOptions: whatever is typed after "--", what comes out of it
// can be nothing but the allowed flags, each one word in one line.
func FuzzParseOptions(f *testing.F) {
	for _, seed := range []string{"-target=a.b", "-target\na.b\n-var\nx=y", "--refresh=false\n-parallelism=2", "-out=x", `-replace=a.b["\""]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ParseOptions(strings.Split(text, "\n"))
		if err != nil {
			if !errs.Is(err, errs.Invalid) || errs.Sentence(err) == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		for _, flag := range o.Flags() {
			name, _, _ := strings.Cut(flag, "=")
			switch name {
			case "-target", "-replace", "-var", "-refresh", "-parallelism":
			default:
				t.Fatalf("%q became %q", text, flag)
			}
			if !legible(flag) {
				t.Fatalf("%q became the illegible %q", text, flag)
			}
		}
		again, err := ParseOptions(o.Flags())
		if err != nil || !cmp.Equal(again, o) {
			t.Fatalf("%q is %+v, and read again %+v, %v", text, o, again, err)
		}
	})
}

func FuzzValidAddress(f *testing.F) {
	for a := range addresses {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !ValidAddress(s) {
			return
		}
		// Outside of quotes, an address has letters, digits and _-.[] alone.
		quoted, bare := false, ""
		for i := 0; i < len(s); i++ {
			switch {
			case quoted && s[i] == '\\':
				i++
			case s[i] == '"':
				quoted = !quoted
			case !quoted:
				bare += string(s[i])
			}
		}
		if quoted || !legible(s) || s[0] == '-' || strings.Trim(bare, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.[]") != "" {
			t.Fatalf("%q is taken", s)
		}
	})
}
