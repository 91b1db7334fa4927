package httpapi_test

import (
	"net/http"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/matryer/is"

	"github.com/ccmwf/ccm/cache"
	"github.com/ccmwf/ccm/ccm"
	"github.com/ccmwf/ccm/ccm/httpapi"
)

func TestCacheTellsWhatItDid(t *testing.T) {
	is := is.New(t)
	h := api(t, httpapi.Config{Keys: map[string]string{"panel": someKey}})
	const key = "X-API-Key: " + someKey
	call(t, h, http.MethodGet, "/datasets/branch_summary", "", key) // there is no database
	r := call(t, h, http.MethodGet, "/cache", "", key)
	is.Equal(r.Code, 200)
	seen := r.object()
	is.Equal(seen["misses"], 1.0)
	is.Equal(seen["load_errors"], 1.0)
	is.Equal(seen["redis"], "none")
	is.Equal(call(t, h, http.MethodGet, "/cache", "").Code, 401)
	is.Equal(call(t, h, http.MethodPost, "/cache/invalidate", "").Code, 401)
	is.Equal(call(t, h, http.MethodPost, "/cache/warm", "").Code, 401)
	is.Equal(call(t, h, http.MethodGet, "/cache?branch_id=1", "", key).locations(), []string{"query.branch_id"})
}

func TestCacheIsInvalidatedByBranch(t *testing.T) {
	is, m := is.New(t), miniredis.RunT(t)
	h := httpapi.New(open(t, ccm.Config{Branches: []int{9, 14}, Cache: cache.Config{URL: "redis://" + m.Addr()}}), httpapi.Config{})
	r := call(t, h, http.MethodPost, "/cache/invalidate", `{"branch_id": 14}`)
	is.Equal(r.Code, 200)
	is.Equal(r.object()["branch_id"], 14.0)
	r = call(t, h, http.MethodPost, "/cache/invalidate", "")
	is.Equal(r.Code, 200)
	is.Equal(r.object()["branch_id"], nil)
	r = call(t, h, http.MethodPost, "/cache/invalidate", `{"branch_id": 3}`)
	is.Equal(r.Code, 403)
	is.Equal(r.problem()["error_code"], "invalid_branch")
	is.Equal(call(t, h, http.MethodPost, "/cache/invalidate", `{"branch_id": "x"}`).locations(), []string{"body.branch_id"})
	is.Equal(call(t, h, http.MethodPost, "/cache/invalidate", `{"rama": 14}`).locations(), []string{"body.rama"}) // not all of them
	m.Close()
	r = call(t, h, http.MethodPost, "/cache/invalidate", `{"branch_id": 14}`)
	is.Equal(r.Code, 503)
	is.Equal(r.problem()["error_code"], "cache_error")
	is.Equal(call(t, h, http.MethodGet, "/cache", "").object()["pending"], 8.0) // 4 datasets, the branch and all together
}

func TestCacheIsNotWarmedWithoutADatabase(t *testing.T) {
	is := is.New(t)
	r := call(t, api(t, httpapi.Config{}), http.MethodPost, "/cache/warm", "")
	is.Equal(r.Code, 503)
	is.Equal(r.problem()["error_code"], "dataset_error")
}
