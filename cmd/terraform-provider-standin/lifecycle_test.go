package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidelock/tidelock/internal/toolchain"
)

const threeClouds = `
data "aws_ami" "linux" {
  most_recent = true
  owners      = ["amazon"]
  filter {
    name   = "name"
    values = ["al2023-*"]
  }
}
data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}
resource "aws_iam_role" "web" {
  name               = "web"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}
resource "aws_security_group" "web" {
  name = "web"
  ingress {
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_instance" "web" {
  ami                    = data.aws_ami.linux.id
  instance_type          = "t3.micro"
  availability_zone      = "eu-west-1a"
  vpc_security_group_ids = [aws_security_group.web.id]
  tags                   = { Name = "web", Owner = "web-team" }
  root_block_device { volume_size = 20 }
  ebs_block_device {
    device_name = "/dev/sdf"
    volume_size = 100
  }
}
resource "aws_db_instance" "main" {
  identifier        = "main"
  engine            = "postgres"
  instance_class    = "db.t4g.micro"
  allocated_storage = 20
  username          = "app"
  password          = "not-to-be-seen"
}
resource "azurerm_resource_group" "main" {
  name     = "main"
  location = "westeurope"
}
resource "azurerm_linux_virtual_machine" "vm" {
  name                  = "vm"
  resource_group_name   = azurerm_resource_group.main.name
  location              = azurerm_resource_group.main.location
  size                  = "Standard_B2s"
  admin_username        = "adm"
  network_interface_ids = ["nic"]
  os_disk {
    caching              = "None"
    storage_account_type = "Premium_LRS"
  }
}
resource "google_compute_instance" "g" {
  name         = "g"
  machine_type = "e2-medium"
  zone         = "europe-west1-b"
  labels       = { app = "g" }
  boot_disk {
    initialize_params { size = 20 }
  }
  network_interface {
    network = "default"
    access_config {}
  }
}
`

// The whole life of objects in three clouds: planned, made, unchanged, changed
// in place, replaced, destroyed.
func TestLifecycle(t *testing.T) {
	each(t, func(t *testing.T, tool toolchain.Binary) {
		f := newFolder(t, tool, threeClouds)
		plan := f.plan()
		if len(plan) != 7 {
			t.Errorf("the first plan has %d changes, want 7: %v", len(plan), actions(plan))
		}
		web := plan["aws_instance.web"].Change
		for _, name := range []string{"id", "arn", "private_ip"} {
			if web.AfterUnknown[name] != true {
				t.Errorf("aws_instance.web.%s is not unknown in the plan", name)
			}
		}
		if web.After["region"] != "eu-west-1" {
			t.Errorf("region = %v: the provider's is known in the plan", web.After["region"])
		}
		if diff := cmp.Diff(map[string]any{"Name": "web", "Owner": "web-team", "Environment": "test"}, web.After["tags_all"]); diff != "" {
			t.Errorf("tags_all, own tags before defaults:\n%s", diff)
		}
		if got := plan["google_compute_instance.g"].Change.After["effective_labels"]; !cmp.Equal(got, any(map[string]any{"app": "g", "owner": "platform"})) {
			t.Errorf("effective_labels = %v", got)
		}
		if sens, _ := plan["aws_db_instance.main"].Change.AfterSensitive.(map[string]any); sens["password"] != true {
			t.Errorf("the password is not sensitive: %v", sens)
		}
		if out := f.ok("show", "plan.bin"); strings.Contains(out, "not-to-be-seen") {
			t.Error("the plan shows the password")
		}

		f.ok("apply", "-input=false", "plan.bin")
		if plan := f.plan(); len(plan) != 0 {
			t.Errorf("after the apply there are still changes: %v", actions(plan))
		}
		for _, file := range f.objectFiles("*/*/*.json") {
			if strings.Contains(read(t, file), "not-to-be-seen") {
				t.Errorf("%s holds the password", file)
			}
		}

		f.config(strings.NewReplacer(
			`"t3.micro"`, `"t3.large"`, // in place
			`allocated_storage = 20`, `allocated_storage = 50`, // in place
			`"europe-west1-b"`, `"europe-west1-c"`, // another object
			`"postgres"`, `"mysql"`, // another object
		).Replace(threeClouds))
		plan = f.plan()
		if diff := cmp.Diff(map[string]string{
			"aws_instance.web": "update", "aws_db_instance.main": "delete-create", "google_compute_instance.g": "delete-create",
		}, actions(plan)); diff != "" {
			t.Errorf("changes:\n%s", diff)
		}
		if web := plan["aws_instance.web"].Change; len(web.AfterUnknown) > 0 && web.AfterUnknown["id"] == true || web.After["id"] != web.Before["id"] {
			t.Errorf("an update in place loses the id: %v → %v", web.Before["id"], web.After["id"])
		}
		if diff := cmp.Diff([][]any{{"engine"}}, plan["aws_db_instance.main"].Change.ReplacePaths); diff != "" {
			t.Errorf("why the database is replaced:\n%s", diff)
		}
		f.ok("apply", "-input=false", "plan.bin")

		f.ok("destroy", "-input=false", "-auto-approve")
		if left := f.objectFiles("*/*/*.json"); len(left) > 0 {
			t.Errorf("the destroy left %v", left)
		}
	})
}

// Without a folder the state is all there is, and everything works as well.
func TestStateOnly(t *testing.T) {
	each(t, func(t *testing.T, tool toolchain.Binary) {
		f := newFolder(t, tool, `
resource "aws_s3_bucket" "b" {
  bucket = "assets"
}
resource "aws_ebs_volume" "v" {
  availability_zone = "eu-west-1a"
  size              = 10
}
`)
		f.stateOnly()
		f.apply()
		if plan := f.plan(); len(plan) != 0 {
			t.Errorf("after the apply there are still changes: %v", actions(plan))
		}
		if files := f.objectFiles("*"); len(files) > 0 {
			t.Errorf("it wrote %v", files)
		}
		// What an import cannot know is filled in, and nothing is replaced.
		f.ok("state", "rm", "aws_ebs_volume.v")
		f.ok("import", "-input=false", "aws_ebs_volume.v", "vol-0123456789abcdef0")
		plan := f.plan()
		if diff := cmp.Diff(map[string]string{"aws_ebs_volume.v": "update"}, actions(plan)); diff != "" {
			t.Errorf("changes after the import:\n%s", diff)
		}
		f.apply()
		if plan := f.plan(); len(plan) != 0 {
			t.Errorf("after the import there are still changes: %v", actions(plan))
		}
	})
}

// What the real providers refuse is refused, in words that name it.
func TestMistakes(t *testing.T) {
	found, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	f := newFolder(t, found[0], "")
	for _, c := range []struct{ name, config, says string }{
		{"attribute", "resource \"aws_vpc\" \"x\" {\n  cidr = \"10.0.0.0/16\"\n}", `An argument named "cidr" is not expected here`},
		{"type", "resource \"aws_teapot\" \"x\" {}", `does not support resource type "aws_teapot"`},
		{"data", "data \"google_teapot\" \"x\" {}", `does not support data source "google_teapot"`},
		{"missing", "resource \"aws_ebs_volume\" \"x\" {}", `The argument "availability_zone" is required`},
		{"read-only", "resource \"aws_vpc\" \"x\" {\n  arn = \"a\"\n}", `arn`},
		{"no block", "resource \"azurerm_kubernetes_cluster\" \"x\" {\n  name = \"x\"\n  location = \"x\"\n  resource_group_name = \"x\"\n}", `At least 1 "default_node_pool" blocks are required`},
		{"blocks", "resource \"aws_instance\" \"x\" {\n  root_block_device {}\n  root_block_device {}\n}", `No more than 1 "root_block_device" blocks are allowed`},
		{"value", "resource \"aws_security_group_rule\" \"x\" {\n  type = \"in\"\n  security_group_id = \"sg\"\n  from_port = 1\n  to_port = 1\n  protocol = \"tcp\"\n}", `expected type to be one of ingress, egress, got "in"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.t = t
			f.config(c.config)
			f.fails([]string{"validate"}, c.says)
		})
	}
	f.t = t
	// Terraform judges an empty provider block only when it plans.
	f.config("provider \"azurerm\" {\n  alias = \"second\"\n}\nresource \"azurerm_resource_group\" \"x\" {\n  provider = azurerm.second\n  name = \"x\"\n  location = \"x\"\n}")
	f.fails([]string{"plan"}, `At least 1 "features" blocks are required`)
	write(t, filepath.Join(f.dir, "main.tf"), strings.Replace(providers, `region = "eu-west-1"`, "", 1)+`resource "aws_vpc" "x" {}`)
	f.fails([]string{"plan"}, "Missing region")
}

// With a folder, objects are real enough to drift, to be taken, to be imported
// and to outlive a state.
func TestFolderOfObjects(t *testing.T) {
	each(t, func(t *testing.T, tool toolchain.Binary) {
		const bucket = "resource \"aws_s3_bucket\" \"b\" {\n  bucket = \"assets\"\n}\nresource \"aws_ebs_volume\" \"v\" {\n  availability_zone = \"eu-west-1a\"\n  size = 10\n}\n"
		f := newFolder(t, tool, bucket)
		f.apply()

		volume := f.objectFiles("aws/aws_ebs_volume/*.json")[0]
		write(t, volume, strings.Replace(read(t, volume), `"size": 10`, `"size": 99`, 1))
		plan := f.plan()
		if c := plan["aws_ebs_volume.v"].Change; len(plan) != 1 || fmt.Sprint(c.Before["size"], c.After["size"]) != "99 10" {
			t.Errorf("somebody resized the volume, and the plan says %v", plan)
		}
		if err := os.Remove(volume); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"aws_ebs_volume.v": "create"}, actions(f.plan())); diff != "" {
			t.Errorf("somebody deleted the volume:\n%s", diff)
		}
		f.apply()

		f.ok("state", "rm", "aws_s3_bucket.b")
		f.fails([]string{"apply", "-auto-approve"}, `an object with the ID "assets" already exists`, "import it")
		f.fails([]string{"import", "aws_s3_bucket.b", "other"}, "Cannot import non-existent remote object")
		f.ok("import", "aws_s3_bucket.b", "assets")
		if plan := f.plan(); len(plan) != 0 {
			t.Errorf("after the import there are still changes: %v", actions(plan))
		}
	})
}

// An apply that fails half way keeps what it made.
func TestFailedApply(t *testing.T) {
	each(t, func(t *testing.T, tool toolchain.Binary) {
		config := `
resource "aws_vpc" "v" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_subnet" "s" {
  vpc_id = aws_vpc.v.id
  tags   = { Name = "fail-create of a subnet" }
}
`
		f := newFolder(t, tool, config)
		f.plan() // planning it is no mistake
		f.fails([]string{"apply", "-auto-approve"}, "creating aws_subnet", "asked to fail")
		if diff := cmp.Diff(map[string]string{"aws_subnet.s": "create"}, actions(f.plan())); diff != "" {
			t.Errorf("what is left to do:\n%s", diff)
		}
		f.config(strings.Replace(config, "fail-create of", "mended", 1))
		f.apply()
	})
}

// A Terraform that is killed in the middle of a create leaves the object
// behind and no trace of it in the state: the case that a bot must never
// answer by applying again.
func TestKilledApplyLeavesAnOrphan(t *testing.T) {
	each(t, func(t *testing.T, tool toolchain.Binary) {
		f := newFolder(t, tool, "resource \"aws_s3_bucket\" \"b\" {\n  bucket = \"assets\"\n  tags = { Name = \"hold-create-bucket\" }\n}\n")
		cmd := f.command("apply", "-auto-approve")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		await(t, func() bool { return len(f.objectFiles("aws/aws_s3_bucket/*.json")) == 1 })
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if out, _ := f.run("state", "list"); strings.Contains(out, "aws_s3_bucket.b") {
			t.Error("the state knows the bucket; the test proves nothing")
		}
		// The lock of a local state ends with the process that held it.
		f.fails([]string{"apply", "-auto-approve"}, "already exists")

		// Released, the same operation ends well.
		write(t, filepath.Join(f.objects, "release", "hold-create-bucket"), "")
		for _, file := range f.objectFiles("aws/aws_s3_bucket/*.json") {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
		}
		f.apply()
	})
}

// One mirror and one folder of objects serve many processes at once, and one
// name is given once.
func TestManyAtOnce(t *testing.T) {
	found, err := tools()
	if err != nil {
		t.Fatal(err)
	}
	const n = 4
	folders := make([]*folder, n)
	shared := t.TempDir()
	for i := range folders {
		folders[i] = newFolder(t, found[0], fmt.Sprintf("resource \"aws_ebs_volume\" \"v\" {\n  count = 5\n  availability_zone = \"eu-west-1a\"\n}\nresource \"aws_s3_bucket\" \"own\" {\n  bucket = \"own-%d\"\n}\nresource \"aws_s3_bucket\" \"contested\" {\n  bucket = \"contested\"\n}\n", i))
		folders[i].env = append(folders[i].env, "TIDELOCK_STANDIN_DIR="+shared)
		folders[i].objects = shared
	}
	won := make([]bool, n)
	var wg sync.WaitGroup
	for i, f := range folders {
		wg.Go(func() {
			out, code := f.run("apply", "-auto-approve")
			won[i] = code == 0
			if code != 0 && !strings.Contains(out, "already exists") {
				t.Errorf("apply %d failed for another reason:\n%s", i, out)
			}
		})
	}
	wg.Wait()
	winners := 0
	for _, w := range won {
		if w {
			winners++
		}
	}
	if winners != 1 {
		t.Errorf("%d of %d got the contested bucket, want 1", winners, n)
	}
	if got := len(folders[0].objectFiles("aws/*/*.json")); got != n*6+1 {
		t.Errorf("%d objects, want %d", got, n*6+1)
	}
	if left := folders[0].objectFiles("aws/*/.new-*"); len(left) > 0 {
		t.Errorf("unfinished files are left: %v", left)
	}
}

// await polls until it is so.
func await(t *testing.T, so func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it did not happen within 30 s")
		}
	}
}
