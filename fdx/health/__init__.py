"""What a machine in good order looks like, and what is unusual: learned from healthy recordings alone.

feature_plan, features      one row of named numbers per recording (bands, impacts, shaft, orders)
sample, operating           the rows of many recordings, and what speed and load change in them
detectors, normal_model     how unusual a row is
blocks, tail, wish          p-values against blocks of recordings that were left out; limits for a wished rate
learn, baseline             all of it together; baseline_file keeps it
learn_recordings            from a folder: contamination, pseudo_faults and choice of the detector
monitor, states, history    what came since, exactly once per recording; watch, export and relearn
known, incoming, parts      which recordings the files hold that come
course, trend, change_point the history over time; remaining_life
sensor_facts, sensor_fault  what is the sensor and not the machine
"""
