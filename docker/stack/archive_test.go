package stack_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"strings"
	"testing"
)

// savedImage is an image as `docker save` hands it over: what a registry, or
// whoever gets the image, can see of it.
type savedImage struct {
	archive []member      // JSON documents and layers, as they are
	files   []member      // what the layers hold, except directories
	config  platformImage // what the image says of itself
}

// platformImage is the part of an image's configuration that tests look at.
type platformImage struct {
	Architecture string
	Config       struct {
		User   string
		Labels map[string]string
	}
}

// member is one file of an archive.
type member struct {
	name string // begins with /
	mode fs.FileMode
	data []byte
}

// executable: a file that somebody could run.
func (m member) executable() bool { return m.mode.IsRegular() && m.mode.Perm()&0o111 != 0 }

// save is `docker save`, taken apart.
func save(tb testing.TB, image string) savedImage {
	tb.Helper()
	saved, err := unpack(saveArchive(tb, image))
	if err != nil {
		tb.Fatalf("docker save %s: %v", image, err)
	}
	return saved
}

// saveArchive is `docker save` as it is.
func saveArchive(tb testing.TB, image string) []byte {
	tb.Helper()
	var complaint bytes.Buffer
	cmd := exec.Command("docker", "save", image)
	cmd.Stderr = &complaint
	archive, err := cmd.Output()
	if err != nil {
		tb.Fatalf("docker save %s: %v\n%s", image, err, &complaint)
	}
	return archive
}

// unpack reads an archive of one image: https://github.com/moby/docker-image-spec
func unpack(archive []byte) (saved savedImage, err error) {
	if saved.archive, err = untar(archive); err != nil {
		return saved, err
	}
	named := map[string][]byte{}
	for _, m := range saved.archive {
		named[strings.TrimPrefix(m.name, "/")] = m.data
	}
	var manifest []struct {
		Config string
		Layers []string
	}
	if err := json.Unmarshal(named["manifest.json"], &manifest); err != nil || len(manifest) != 1 {
		return saved, fmt.Errorf("manifest.json names %d images: %w", len(manifest), err)
	}
	if err := json.Unmarshal(named[manifest[0].Config], &saved.config); err != nil {
		return saved, err
	}
	for _, layer := range manifest[0].Layers {
		inside, err := untar(named[layer])
		if err != nil {
			return saved, fmt.Errorf("layer %s: %w", layer, err)
		}
		for _, m := range inside {
			if !m.mode.IsDir() {
				saved.files = append(saved.files, m)
			}
		}
	}
	return saved, nil
}

// untar lists an archive, which may be compressed.
func untar(archive []byte) ([]member, error) {
	var r io.Reader = bytes.NewReader(archive)
	if bytes.HasPrefix(archive, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(r)
		if err != nil {
			return nil, err
		}
		r = unzipped
	}
	var members []member
	for t := tar.NewReader(r); ; {
		header, err := t.Next()
		if errors.Is(err, io.EOF) {
			return members, nil
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(t)
		if err != nil {
			return nil, err
		}
		members = append(members, member{path.Join("/", header.Name), header.FileInfo().Mode(), data})
	}
}

// find is the file of that name, which must be there once.
func (s savedImage) find(tb testing.TB, name string) member {
	tb.Helper()
	var found []member
	for _, m := range s.files {
		if m.name == name {
			found = append(found, m)
		}
	}
	if len(found) != 1 {
		tb.Fatalf("the image has %d files %s", len(found), name)
	}
	return found[0]
}

// gzipped is how large data are once compressed, as a registry keeps them.
func gzipped(tb testing.TB, data []byte) int {
	tb.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	if _, err := zip.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Len()
}
