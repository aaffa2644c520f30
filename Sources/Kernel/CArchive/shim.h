#pragma once
#include <archive.h>
#include <archive_entry.h>
#include <lzma.h>
#include <zlib.h>
