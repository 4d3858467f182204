// The entry of the panel, which the manifest names as the resource of the module.
import React from 'react';
import ForgeReconciler from '@forge/react';
import { Panel } from './panel';

ForgeReconciler.render(
  <React.StrictMode>
    <Panel />
  </React.StrictMode>,
);
