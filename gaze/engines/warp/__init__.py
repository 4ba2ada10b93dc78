"""The instant engine: the photo itself, bent on a processor.

engine: prepares a portrait once, then draws a frame for each pose
  │
  ├─ the head     head: how far each part of it moves · depth: how deep it lies · brows · carry: what lies on it
  │               border, leeway: less beside the picture's border · region: which part of the picture moves
  │               inverse: from there to what each pixel shows · squeeze: what gets smaller stays as soft
  │
  ├─ behind it    backdrop: the person and the background apart · strands, doubt, halo: what of the photo is whose
  │               fill, mirror, along, beyond: what may be behind the person · parts: both drawn
  │
  ├─ the eyes     gaze: how far irises and lids move · straighten: eyes that look aside in the photo
  │               sight: how well they are seen · eyes: layers (sclera · lift · edge · glare) · soft: bent
  │               lids, lid_fit: the opening · rims: glasses and brows beside it · blink
  │               follow: how the surroundings of an iris follow it from key to key
  │
  └─ for all      ease: shares that begin and end smoothly · smaller: smaller copies
"""
