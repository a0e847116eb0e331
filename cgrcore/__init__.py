"""Real-time charging, pure: records, time and ids in; decisions and effects out. No I/O, no clock, no float."""
