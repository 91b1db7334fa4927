package cache_test

import (
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/redis/go-redis/v9"

	"github.com/ccmwf/ccm/cache"
)

func TestDialMakesTheClientThatTheURLSays(t *testing.T) {
	is := is.New(t)
	dial := func(url string) redis.UniversalClient {
		c, err := cache.Dial(url, 0)
		is.NoErr(err)
		t.Cleanup(func() { c.Close() })
		return c
	}
	one, ok := dial("rediss://ccm:s3creto@redis:6380/2").(*redis.Client)
	is.True(ok)
	is.Equal(one.Options().Addr, "redis:6380")
	is.Equal(one.Options().DB, 2)
	is.Equal(one.Options().TLSConfig.ServerName, "redis")

	many, ok := dial("redis://ccm:s3creto@a:6379?addr=b:6379&addr=c:6379").(*redis.ClusterClient)
	is.True(ok)
	is.Equal(many.Options().Addrs, []string{"a:6379", "b:6379", "c:6379"})
	is.Equal(many.Options().Password, "s3creto")

	// The password is Redis', unless the query has one: then it is the Sentinels'.
	watched := dial("redis://ccm:s3creto@s1:26379/1?master_name=ccm&addr=s2:26379").(*redis.Client)
	is.Equal(watched.Options().Username, "ccm")
	is.Equal(watched.Options().Password, "s3creto")
	is.Equal(watched.Options().DB, 1)
	watched = dial("redis://:delsentinel@s1:26379?master_name=ccm&username=ccm&password=s3creto").(*redis.Client)
	is.Equal(watched.Options().Password, "s3creto")
}

func TestDialRefusesWhatCannotBeAnAddress(t *testing.T) {
	for _, url := range []string{
		"redis://:s3creto@h:99999", "redis://:s3creto@h:0", "redis://:s3creto@h:6379?addr=h2:99999", "redis://:s3creto@h:99999?master_name=ccm",
		"redis://:12#s3creto@h:6379/0", // a password that was not encoded
		"redis://:s3creto@h?master_name=m&route_by_latency=true", "redis://:s3creto@h?addr=h2:6379&read_only=true", "redis:s3creto@h:6379/0", "redis://:s3creto@/0", "redis://:s3creto@:6379", "redis://:s3creto@h:6379/-1",
		"redis://:s3cre/to@h:6379/0", "redis://:s3cre%to@h:6379/0", "s3creto", "http://:s3creto@h", "redis://:s3creto@h/x", "redis://:s3creto@h?x=s3creto",
	} {
		is := is.New(t)
		_, err := cache.Dial(url, 0)
		is.True(err != nil) // of url
		is.True(!strings.Contains(err.Error(), "s3cre"))
	}
}
