package planner

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestNeedsProviders(t *testing.T) {
	tests := map[string]struct {
		files   map[string]string
		modules []string
		hooks   []Hook
		want    ProviderNeeds
	}{
		"required": {
			files: map[string]string{"a/versions.tf": "terraform {\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = \"~> 5.0\"\n      configuration_aliases = [aws.east]\n    }\n    old = \"1.0\"\n  }\n}\n"},
			want: ProviderNeeds{Providers: []ProviderNeed{
				{Name: "aws", Source: "hashicorp/aws", Versions: []string{"~> 5.0"}, Path: "a/versions.tf", Line: 3},
				{Name: "old", Versions: []string{"1.0"}, Path: "a/versions.tf", Line: 8},
			}},
		},
		"implied by type, by meta-argument and by block": {
			files: map[string]string{"a/main.tf": "resource \"aws_vpc\" \"a\" {}\ndata \"google_x\" \"b\" {\n  provider = google-beta.east\n}\nprovider \"null\" {\n  version = \">= 3\"\n}\nephemeral \"vault_token\" \"t\" {}\ncheck \"c\" {\n  data \"http\" \"u\" {}\n}\n"},
			want: ProviderNeeds{Providers: []ProviderNeed{
				{Name: "aws", Path: "a/main.tf", Line: 1}, {Name: "google-beta", Path: "a/main.tf", Line: 2},
				{Name: "http", Path: "a/main.tf", Line: 10},
				{Name: "null", Versions: []string{">= 3"}, Path: "a/main.tf", Line: 5}, {Name: "vault", Path: "a/main.tf", Line: 8},
			}},
		},
		"what is built in": {
			files: map[string]string{"a/main.tf": "resource \"terraform_data\" \"a\" {}\ndata \"terraform_remote_state\" \"b\" {}\n"},
		},
		"the block says more than the type": {
			files: map[string]string{"a/a.tf": "resource \"aws_vpc\" \"a\" {}\nprovider \"aws\" {\n  version = \"< 6\"\n}\n", "a/v.tf": "terraform {\n  required_providers {\n    aws = { \"source\" = \"acme.example/x/aws\" }\n  }\n}\n"},
			want:  ProviderNeeds{Providers: []ProviderNeed{{Name: "aws", Source: "acme.example/x/aws", Versions: []string{"< 6"}, Path: "a/v.tf", Line: 3}}},
		},
		"override files come last": {
			files: map[string]string{
				"a/override.tf": "terraform {\n  required_providers {\n    aws = { version = \"6.0.0\" }\n  }\n}\n",
				"a/versions.tf": "terraform {\n  required_providers {\n    aws = { source = \"hashicorp/aws\", version = \"5.0.0\" }\n  }\n}\n",
			},
			want: ProviderNeeds{Providers: []ProviderNeed{{Name: "aws", Source: "hashicorp/aws", Versions: []string{"6.0.0"}, Path: "a/override.tf", Line: 3}}},
		},
		"local modules": {
			files: map[string]string{
				"a/main.tf": "module \"m\" {\n  source = \"../m\"\n}\n", "m/main.tofu": "resource \"random_id\" \"a\" {}\n", "other/main.tf": "resource \"azurerm_x\" \"a\" {}\n",
			},
			modules: []string{"m", "gone"},
			want:    ProviderNeeds{Providers: []ProviderNeed{{Name: "random", Path: "m/main.tofu", Line: 1}}},
		},
		"a module from elsewhere": {
			files: map[string]string{"a/main.tf": "module \"m\" {\n  source = \"terraform-aws-modules/vpc/aws\"\n}\n"},
			want:  ProviderNeeds{Partial: true},
		},
		"a hook that may write code": {
			files: map[string]string{"a/main.tf": ""}, hooks: []Hook{{When: BeforePlan, Run: []string{"gen"}}},
			want: ProviderNeeds{Partial: true},
		},
		"broken code": {
			files: map[string]string{"a/main.tf": "resource \"aws_vpc\" \"a\" {}\nresource \"b\" {\n"},
			want:  ProviderNeeds{Partial: true, Providers: []ProviderNeed{{Name: "aws", Path: "a/main.tf", Line: 1}, {Name: "b", Path: "a/main.tf", Line: 2}}},
		},
		"JSON": {
			files: map[string]string{"a/main.tf.json": `{"terraform":[{"required_providers":{"aws":{"source":"hashicorp/aws","version":"5.1.0"}}}],
				"resource":{"google_x":{"a":{"provider":"${google-beta.x}"}},"null_resource":{"b":[{}]}},"module":{"m":{"source":"./m"}}}`},
			want: ProviderNeeds{Providers: []ProviderNeed{
				{Name: "aws", Source: "hashicorp/aws", Versions: []string{"5.1.0"}, Path: "a/main.tf.json"},
				{Name: "google-beta", Path: "a/main.tf.json"}, {Name: "null", Path: "a/main.tf.json"},
			}},
		},
		"import that writes its own resource": {
			files: map[string]string{"a/main.tf": "import {\n  to = aws_vpc.main\n  id = \"x\"\n}\n"},
			want:  ProviderNeeds{Providers: []ProviderNeed{{Name: "aws", Path: "a/main.tf", Line: 1}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for file, text := range test.files {
				fsys[file] = &fstest.MapFile{Data: []byte(text)}
			}
			got, err := NeedsProviders(fsys, Project{Dir: "a", Modules: test.modules, Hooks: test.hooks})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
