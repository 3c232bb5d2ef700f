"""What a machine in good order looks like, and what is unusual: learned from healthy recordings alone.

feature_plan, features   one row of named numbers per recording (bands, impacts, shaft, orders)
sample, operating        the rows of many recordings, and what speed and load change in them
detectors, normal_model  how unusual a row is
blocks, tail, wish       p-values against blocks of recordings that were left out; thresholds for a wished rate
learn, baseline          all of it together, and its file
history, monitor         what came since, with states and alarms
"""
